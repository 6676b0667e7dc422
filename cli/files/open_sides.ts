import type { Environment } from "../../lib/environment/environment.ts";
import { LocalEnvironment } from "../../lib/environment/local_environment.ts";
import { addressOf, kindOf, openChoice } from "../place/open_choice.ts";
import { chooseEnvironment } from "../place/choose_environment.ts";
import type { Flags } from "../command.ts";
import type { Notices } from "../run/notices.ts";
import { farSide } from "./far_side.ts";
import { fileFailure } from "./file_failure.ts";
import { hereSide } from "./here_side.ts";
import type { Side } from "./side.ts";

/** This machine, and the environment that was chosen; they are one where none is named. */
export interface Sides extends AsyncDisposable {
  readonly here: Side;
  readonly there: Side;
  readonly address: string;
}

/** Resolves once files can be used there. Throws what the user can mend. */
export async function openSides(command: string, flags: Flags, notices: Notices): Promise<Sides> {
  const choice = await chooseEnvironment(flags, { command });
  const local = new LocalEnvironment();
  const here = hereSide(local.fileSystem());
  const address = addressOf(choice);
  if (choice.kind === "local") {
    return { here, there: here, address, [Symbol.asyncDispose]: () => local[Symbol.asyncDispose]() };
  }
  const environment = await openChoice(choice, { onProgramStderr: (line) => notices.detail(line) });
  const dispose = async () => {
    await environment[Symbol.asyncDispose]();
    await local[Symbol.asyncDispose]();
  };
  try {
    const info = await environment.info();
    const unwatch = sayLosses(environment, notices);
    const there = await farSide({
      name: nameOf(choice.id, address),
      files: environment.fileSystem(),
      start: info.cwd,
      home: info.home,
    });
    return {
      here,
      there,
      address,
      [Symbol.asyncDispose]: () => {
        unwatch();
        return dispose();
      },
    };
  } catch (error) {
    await dispose();
    throw fileFailure(`cannot reach ${address}`, error, kindOf(choice));
  }
}

/** A configured host by its name, else `devbox:7777` of its URL. */
function nameOf(id: string, address: string): string {
  if (id !== "remote") return id;
  return URL.canParse(address) ? new URL(address).host || address : address;
}

function sayLosses(environment: Environment, notices: Notices): () => void {
  let isUp = true;
  return environment.onLinkState((link) => {
    if (link.state === "recovering") {
      if (isUp) notices.say(`connection lost, reconnecting (attempt ${link.attempt})`);
      notices.detail(link.cause);
      isUp = false;
    } else if (link.state === "connected" && !isUp) {
      isUp = true;
      notices.say("connected again");
    }
  }) ?? (() => {});
}

import type { Environment } from "../../lib/environment/environment.ts";
import type { Choice } from "../place/choose_environment.ts";
import { CommandError, EXIT } from "../exit_status.ts";
import { linkHint } from "../place/link_hint.ts";
import { kindOf, openChoice } from "../place/open_choice.ts";

/** An environment that can be used now, and what it is called when we speak of it. */
export interface OpenEnvironment {
  readonly environment: Environment;
  /** null where it is this machine: nobody needs to be told. */
  readonly name: string | null;
}

/** Resolves once commands can be started there. Throws what the user can mend. */
export async function openEnvironment(choice: Choice, reconnectMs: number | null): Promise<OpenEnvironment> {
  const said: string[] = [];
  const environment = await openChoice(choice, {
    // Only the last words matter: those of a program that could not serve.
    onProgramStderr: (line) => said.splice(0, said.length, line),
    ...(reconnectMs === null ? {} : { reconnectTimeoutMs: reconnectMs }),
  });
  if (choice.kind === "local") return { environment, name: null };
  const name = nameOf(choice);
  try {
    await environment.waitUntilReady();
    return { environment, name };
  } catch (error) {
    await environment[Symbol.asyncDispose]();
    const message = error instanceof Error && "detail" in error ? String(error.detail) : String(error);
    const cause = said.length === 0 ? message : `${message} (its last words: ${said.join("")})`;
    throw new CommandError(`cannot reach ${name}: ${cause}`, linkHint(message, kindOf(choice)), EXIT.unknown);
  }
}

/** A configured host by its name, `ws://devbox:7777` as `devbox:7777`. */
function nameOf({ id, spec }: Extract<Choice, { kind: "remote" }>): string {
  if (id !== "remote" || spec.kind !== "url") return id;
  return URL.canParse(spec.url) ? new URL(spec.url).host || spec.url : spec.url;
}

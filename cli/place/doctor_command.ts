import type { Environment } from "../../lib/environment/environment.ts";
import { type Choice, chooseEnvironment } from "./choose_environment.ts";
import type { Flags } from "../command.ts";
import { checkPlace } from "./doctor_place.ts";
import { checkSandbox } from "./doctor_sandbox.ts";
import { checkServer } from "./doctor_server.ts";
import { checkTransport } from "./doctor_transport.ts";
import { checkTrees } from "./doctor_trees.ts";
import { CommandError, EXIT, type ExitStatus, usageError } from "../exit_status.ts";
import type { Finding } from "./finding.ts";
import { linkHint } from "./link_hint.ts";
import { inMs, measureLatency } from "./latency.ts";
import { addressOf, kindOf, openChoice } from "./open_choice.ts";
import { shownText } from "../shown_text.ts";

/** `doctor`: what is missing, and what to do about it. Every finding is one line; a failure makes the status 1. */
export async function doctorCommand(flags: Flags, [word]: readonly string[]): Promise<ExitStatus> {
  if (word !== undefined) throw usageError(`unexpected word ${word}`, "doctor");
  let failed = false;
  for await (const finding of examine(flags)) {
    failed ||= finding.verdict === "fail";
    await Bun.write(Bun.stdout, lineOf(finding));
  }
  return failed ? EXIT.failed : EXIT.ok;
}

/** One thing after the other: what cannot be looked at without the thing before is left out. */
async function* examine(flags: Flags): AsyncGenerator<Finding> {
  let choice: Choice;
  try {
    choice = await chooseEnvironment(flags, { command: "doctor" });
  } catch (error) {
    if (!(error instanceof CommandError) || error.status === EXIT.usage) throw error;
    yield { name: "place", verdict: "fail", detail: error.message, hint: error.hint };
    return;
  }
  const by = choice.saidBy === null ? "as nothing else was named" : `chosen by ${choice.saidBy}`;
  yield { name: "place", verdict: "ok", detail: `${addressOf(choice)}, ${by}`, hint: null };
  yield* checkTransport(choice);
  const said: string[] = [];
  await using environment = await openChoice(choice, { onProgramStderr: (line) => said.push(line) });
  const reached = await reach(environment, said, kindOf(choice));
  yield reached;
  if (reached.verdict === "fail") return;
  if (environment.isRemote) yield* checkServer(await environment.info());
  yield* checkPlace(environment);
  yield await checkSandbox(environment);
  yield* checkTrees(environment);
}

async function reach(
  environment: Environment,
  said: readonly string[],
  kind: "url" | "program",
): Promise<Finding> {
  const name = "reachable";
  try {
    await environment.waitUntilReady();
    const { medianMs } = await measureLatency(environment);
    return {
      name,
      verdict: "ok",
      detail: environment.isRemote ? `answers in ${inMs(medianMs)}` : "it is here",
      hint: null,
    };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const last = said.at(-1);
    const detail = last === undefined ? message : `${message} (its last words: ${last})`;
    return { name, verdict: "fail", detail, hint: linkHint(message, kind) };
  }
}

function lineOf({ name, verdict, detail, hint }: Finding): string {
  const line = `${verdict.padEnd(4)}  ${name}: ${shownText(detail)}`;
  return hint === null ? `${line}\n` : `${line}. Hint: ${hint}\n`;
}

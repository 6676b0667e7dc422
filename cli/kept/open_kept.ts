import type { Environment } from "../../lib/environment/environment.ts";
import type { KeptProcess, KeptProcesses } from "../../lib/process/kept_processes.ts";
import { ProcessError } from "../../lib/process/process_error.ts";
import type { Flags } from "../command.ts";
import { complain } from "../complain.ts";
import { CommandError, EXIT, type ExitStatus } from "../exit_status.ts";
import { type Choice, chooseEnvironment } from "../place/choose_environment.ts";
import { openEnvironment } from "../run/open_environment.ts";
import { BrokenPipe } from "../run/write_all.ts";
import { requireKept } from "./require_kept.ts";

/** Fewer characters of an id would be a guess. */
const SHORTEST_PREFIX = 4;

export interface OpenKept {
  readonly environment: Environment;
  readonly kept: KeptProcesses;
  readonly place: Choice;
  readonly name: string;
}

/** Does something with the kept processes of the server that is meant, and leaves it. */
export async function withKept(
  flags: Flags,
  command: string,
  failed: ExitStatus,
  use: (open: OpenKept) => Promise<ExitStatus>,
): Promise<ExitStatus> {
  // While we wait for an answer nothing else may keep the program alive.
  const awake = setInterval(() => {}, 1_000_000);
  try {
    const place = await chooseEnvironment(flags, { command, status: failed });
    const { environment, name } = await openEnvironment(place, null);
    await using _ = environment;
    const kept = await requireKept(environment, failed);
    return await use({ environment, kept, place, name: name ?? "" });
  } catch (error) {
    if (error instanceof BrokenPipe) return EXIT.brokenPipe;
    if (error instanceof ProcessError) return complain(inCommandWords(error, failed));
    return complain(error);
  } finally {
    clearInterval(awake);
  }
}

function inCommandWords({ code, message }: ProcessError, failed: ExitStatus): CommandError {
  if (code === "lost") return new CommandError(message, "see that the server still runs", EXIT.unknown);
  return new CommandError(message, null, failed);
}

/** The process of that name, or that id or the only one that begins so. Throws what the user can mend. */
export function processCalled(
  ref: string,
  processes: readonly KeptProcess[],
  failed: ExitStatus,
): KeptProcess {
  const exact = processes.find(({ processId }) => processId === ref) ??
    processes.findLast(({ name }) => name === ref);
  if (exact !== undefined) return exact;
  const alike = ref.length < SHORTEST_PREFIX
    ? []
    : processes.filter(({ processId }) => processId.startsWith(ref) || processId.startsWith(`run-${ref}`));
  if (alike.length === 1) return alike[0]!;
  throw new CommandError(
    alike.length > 1 ? `${alike.length} kept processes begin with ${ref}` : `no kept process ${ref}`,
    "`exec-server ps` lists those there are",
    failed,
  );
}

import type { Flags } from "../command.ts";
import { EXIT, type ExitStatus, usageError } from "../exit_status.ts";
import { statusOfKept } from "./kept_status.ts";
import { processCalled, withKept } from "./open_kept.ts";

/** `wait`: stays until all have exited, and ends as the last one named did. */
export function waitCommand(flags: Flags, refs: readonly string[]): Promise<ExitStatus> {
  if (refs.length === 0) throw usageError("no process named", "wait");
  return withKept(flags, "wait", EXIT.notStarted, async ({ kept }) => {
    const all = await kept.list();
    const named = refs.map((ref) => processCalled(ref, all, EXIT.notStarted));
    const ends = await Promise.all(named.map(({ processId }) => kept.wait(processId)));
    return statusOfKept(ends.at(-1)!);
  });
}

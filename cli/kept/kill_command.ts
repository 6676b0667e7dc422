import { type Signal, SIGNALS } from "../../lib/process/backend.ts";
import type { Flags } from "../command.ts";
import { complain } from "../complain.ts";
import { CommandError, EXIT, type ExitStatus, usageError } from "../exit_status.ts";
import { processCalled, withKept } from "./open_kept.ts";

/** Asked to end, a process has this long before it is ended by force. */
const GRACE_MS = 5_000;

/** `kill`: ends processes with all that descends from them, or sends them a signal. */
export function killCommand(flags: Flags, refs: readonly string[]): Promise<ExitStatus> {
  if (refs.length === 0) throw usageError("no process named", "kill");
  const signal = signalIn(flags);
  return withKept(flags, "kill", EXIT.failed, async ({ kept }) => {
    const all = await kept.list();
    const named = refs.map((ref) => processCalled(ref, all, EXIT.failed));
    let status: ExitStatus = EXIT.ok;
    for (const { processId, state } of named) {
      if (state !== "running") {
        // Those whom it left running may still hold its output.
        if (state === "exited") await kept.terminate(processId);
        status = complain(new CommandError(`${processId} has ended already`, null, EXIT.failed));
      } else if (signal === null) await kept.terminate(processId, { signal: "TERM", ms: GRACE_MS });
      else if (signal === "KILL") await kept.terminate(processId);
      else await kept.signal(processId, signal);
    }
    return status;
  });
}

function signalIn(flags: Flags): Signal | null {
  const text = flags.text("signal");
  if (text === undefined) return null;
  const name = text.toUpperCase().replace(/^SIG/, "");
  const signal = SIGNALS.find((signal) => signal === name);
  if (signal !== undefined) return signal;
  throw usageError(`option --signal takes one of ${SIGNALS.join(" ")}, not "${text}"`, "kill");
}

import type { Clock } from "../base/clock.ts";
import type { EventLog } from "./event_log.ts";

/** Resolves once it holds of the log, or after so long, or when nobody waits any more. */
export function whenLog(
  log: EventLog,
  holds: () => boolean,
  ms: number,
  clock: Clock,
  givenUp: AbortSignal,
): Promise<void> {
  if (holds() || ms <= 0 || givenUp.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = () => {
      timer.cancel();
      unwatch();
      givenUp.removeEventListener("abort", finish);
      resolve();
    };
    const unwatch = log.watch(() => holds() && finish());
    const timer = clock.after(ms, finish);
    givenUp.addEventListener("abort", finish);
  });
}

import { signalStatus } from "../exit_status.ts";
import type { CopyView } from "./copy_view.ts";
import type { Underway } from "./underway.ts";

const SIGNALS = [["SIGINT", 2], ["SIGTERM", 15], ["SIGHUP", 1]] as const;

/** A signal ends a copy in order; a second one at once. */
export function leaveOnSignal(underway: Underway, view: CopyView): Disposable {
  let isLeaving = false;
  const listeners = SIGNALS.map(([name, number]) => {
    const leave = async () => {
      const isAgain = isLeaving;
      isLeaving = true;
      if (!isAgain) await underway.leaveAll((kept) => view.kept(kept));
      view[Symbol.dispose]();
      process.exit(signalStatus(number));
    };
    process.on(name, leave);
    return () => process.off(name, leave);
  });
  return { [Symbol.dispose]: () => listeners.forEach((off) => off()) };
}

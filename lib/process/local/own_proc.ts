import { readlinkSync } from "node:fs";

let isOurs: boolean | undefined;

/**
 * Whether /proc speaks of the processes that we number. In a new pid namespace without a /proc of its own it is missing,
 * or shows strangers under our numbers, whom nobody may touch.
 */
export function procIsOurs(): boolean {
  return (isOurs ??= selfIn("/proc") === process.pid);
}

function selfIn(proc: string): number | null {
  try {
    return Number(readlinkSync(`${proc}/self`));
  } catch {
    return null;
  }
}

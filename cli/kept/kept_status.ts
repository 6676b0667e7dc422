import type { KeptProcess } from "../../lib/process/kept_processes.ts";
import { EXIT, type ExitStatus } from "../exit_status.ts";

/** What `wait` ends with, and `attach`, for a process that has ended. */
export function statusOfKept({ exitCode, account }: KeptProcess): ExitStatus {
  if (account?.outcome.kind === "limit") return EXIT.timedOut;
  return exitCode === null || account?.outcome.kind === "unknown" ? EXIT.unknown : exitCode & 0xff;
}

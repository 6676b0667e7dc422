import type { Flags } from "../command.ts";
import { usageError } from "../exit_status.ts";

/** Where to record to; null: nowhere. A recording is of what a terminal shows, so there must be one, and somebody at it. */
export function readRecordFlag(flags: Flags, terminal: boolean): string | null {
  const path = flags.text("record");
  if (path === undefined) return null;
  if (path === "") throw usageError("option --record needs a file", "run");
  if (flags.has("detach")) throw usageError("--record and -d exclude each other: nobody looks on", "run");
  // The format knows one stream of text; two that may hold anything are kept by redirecting them, or by --json.
  if (!terminal) {
    throw usageError("--record needs a terminal: pass -t, or redirect the output instead", "run");
  }
  return path;
}

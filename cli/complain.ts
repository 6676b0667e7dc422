import { CommandError, EXIT, type ExitStatus } from "./exit_status.ts";
import { shownText } from "./shown_text.ts";

const LONGEST = 2_000;

/** Tells on stderr what went wrong: one line of cause, one of what to do. No stack: that is for us, not for users. */
export function complain(error: unknown): ExitStatus {
  const whole = error instanceof Error ? error.message : String(error);
  // It may quote what was typed, and somebody may have typed a file.
  const message = whole.length <= LONGEST ? whole : `${whole.slice(0, LONGEST)}…`;
  const hint = error instanceof CommandError && error.hint !== null ? `Hint: ${shownText(error.hint)}\n` : "";
  process.stderr.write(`exec-server: ${shownText(message)}\n${hint}`);
  return error instanceof CommandError ? error.status : EXIT.failed;
}

/** One piece of what a process printed. */
export interface Printed {
  readonly stream: "stdout" | "stderr" | "pty";
  readonly bytes: Uint8Array;
}

/** What programs and the system say when something was not allowed. */
const COMPLAINTS = [
  "operation not permitted",
  "permission denied",
  "read-only file system",
  "seccomp",
  "sandbox",
  "landlock",
  "failed to write file",
];

/** Ended by SIGSYS: a system call that the filter kills for. */
const KILLED_FOR_A_CALL = 128 + 31;

/**
 * Whether a confined process that ended so was most likely denied something: a guess from its last words, the same that
 * Codex makes. A complaint outweighs the exit code, except that success is success.
 */
export function sandboxDenied(exitCode: number, output: readonly Printed[]): boolean {
  if (exitCode === 0) return false;
  // Each stream for itself too: a complaint may be cut in two by the other stream's words.
  const views = [
    output.filter(({ stream }) => stream !== "stderr"),
    output.filter(({ stream }) => stream === "stderr"),
    output,
  ];
  return views.some(complains) || exitCode === KILLED_FOR_A_CALL;
}

function complains(output: readonly Printed[]): boolean {
  const text = Buffer.concat(output.map(({ bytes }) => bytes)).toString("utf8").toLowerCase();
  return COMPLAINTS.some((complaint) => text.includes(complaint));
}

/**
 * Everything beyond the Codex protocol, by name. Used only when both sides named it in `initialize`; a plain Codex
 * peer never sees any of it. Agreed anew on every connection.
 */
export const EXTENSIONS = [
  "terminal.v1",
  "stdin.v1",
  "signals.v1",
  "flow.v1",
  "files.v1",
  "outcome.v1",
  "processes.v1",
] as const;

export type Extension = (typeof EXTENSIONS)[number];

/** What both sides can. */
export type Agreed = ReadonlySet<Extension>;

export const NOTHING_AGREED: Agreed = new Set();

/** Which of the names that a peer said are ours too. */
export function agree(named: readonly string[]): Agreed {
  return new Set(EXTENSIONS.filter((extension) => named.includes(extension)));
}

/** How much one process may have on its way and unacknowledged (`flow.v1`): a second of a fast link. */
export const FLOW_WINDOW_BYTES = 4 * 1024 * 1024;

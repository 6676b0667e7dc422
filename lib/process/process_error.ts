/** What can go wrong with a process, in words that both the wire and the command line can translate. */
export type ProcessErrorCode =
  | "duplicate" // the id is taken
  | "full" // there is no room for more
  | "unknown" // no such process
  | "invalid" // the request itself makes no sense
  | "spawn" // the system would not start it
  | "cancelled" // it was ended before it ran
  | "unenforceable" // it was to be confined, and that cannot be done here
  | "stdin" // its input cannot be written any more
  | "signal" // the system would not deliver it
  | "unsupported" // this place cannot do that
  | "lost"; // the link to its place is gone, and what became of it is unknown; only a client says it

/** Which step of a start failed, so that a missing program can be told from a missing directory. */
export interface SpawnFailure {
  readonly phase: "program" | "cwd" | "spawn";
  readonly errno: string;
  readonly path: string;
}

export class ProcessError extends Error {
  override readonly name = "ProcessError";
  constructor(readonly code: ProcessErrorCode, message: string, readonly failure?: SpawnFailure) {
    super(message);
  }
}

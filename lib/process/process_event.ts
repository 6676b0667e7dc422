import type { Account } from "./outcome.ts";

/** Where a chunk of output came from. A terminal has only one stream. */
export type Stream = "stdout" | "stderr" | "pty";

/** Something a process did. Its `seq` is its place in the story: from 1, no holes, `closed` last. */
export type ProcessEvent = OutputEvent | ExitedEvent | ClosedEvent | GapEvent;

export interface OutputEvent {
  readonly type: "output";
  readonly seq: number;
  readonly stream: Stream;
  readonly bytes: Uint8Array;
}

export interface ExitedEvent {
  readonly type: "exited";
  readonly seq: number;
  readonly exitCode: number;
  readonly sandboxDenied: boolean;
  /** Absent where its place does not know more, as a plain Codex server. */
  readonly account?: Account;
}

/** Stands in the place of output that nobody keeps any more. */
export interface GapEvent {
  readonly type: "gap";
  /** The cursor of a reader that has been told: the same as `toSeq`. */
  readonly seq: number;
  readonly fromSeq: number;
  readonly toSeq: number;
  /** How much it was; null where nobody knows that either. */
  readonly bytes: number | null;
}

/** The story ends here without its end being known: the link to the process was lost. Told by a client only. */
export interface FailedEvent {
  readonly type: "failed";
  readonly message: string;
}

export interface ClosedEvent {
  readonly type: "closed";
  readonly seq: number;
}

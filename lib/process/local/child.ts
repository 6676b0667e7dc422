import type { TerminalSize } from "../backend.ts";
import type { Stream } from "../process_event.ts";
import type { ProcessTree } from "./tree/process_tree.ts";

/** The system's side of a process: pipes or a terminal, a pid, an end. */
export interface Child {
  readonly pid: number;
  /** null when nobody may write: its input is /dev/null. */
  readonly stdin: ChildStdin | null;
  /** Tells the program that its window has another size, where it has one. */
  resize?(size: TerminalSize): void;
  /** Stops it, where its group alone cannot be stopped. False where the group has to be asked after all. */
  stop?(): boolean;
  /** Reads no more output; what the child still prints is lost. */
  stopReading(): void;
}

export interface ChildStdin {
  /** Resolves when there is room for the next. What a child no longer reads vanishes without an error. */
  write(bytes: Uint8Array): Promise<void>;
  /** The child reads an end of input after what was written; on a terminal, where that is a key, more may follow. */
  finish(): void;
  /** Nothing more will be written, and what was not written yet is lost. */
  end(): void;
}

/** What a child tells while it lives. */
export interface ChildListener {
  /** The bytes are the listener's from now on. A promise holds the child's next output back until it resolves. */
  output(stream: Stream, bytes: Uint8Array): Promise<void> | null;
  streamEnded(stream: Stream): void;
  exited(status: ChildExit, spent: Spent): void;
  /** Where it is born. */
  readonly tree: ProcessTree;
}

export type ChildExit = { readonly code: number } | { readonly signal: number };

/** What a child and those whom it waited for used; null is what nobody can tell. */
export interface Spent {
  readonly cpuMs: number | null;
  readonly maxRssBytes: number | null;
}

/** A start, fully decided: nothing is looked up any more. */
export interface Launch {
  /** Absolute, or with a slash and then relative to `cwd`. */
  readonly program: string;
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Ours that the child has too, as 3, 4 and so on. */
  readonly extraFds: readonly number[];
  /** Into which it is born; null is ours. */
  readonly cgroup: string | null;
}

import type { EventLog, LogPage } from "./event_log.ts";
import type { Keep } from "./keep.ts";
import type { Ending, Leftovers, Limits, TreeFacts } from "./limits.ts";
import type { ReadOptions } from "./read_log.ts";
import type { Signal } from "./signal.ts";

/** Where a child's environment begins; see `local/child_env.ts` for the order of the steps. */
export interface EnvPolicy {
  readonly inherit: "core" | "all" | "none";
  readonly ignoreDefaultExcludes: boolean;
  readonly exclude: readonly string[];
  readonly set: Readonly<Record<string, string>>;
  readonly includeOnly: readonly string[];
}

export interface StartOptions {
  /** Chosen by the caller; any text. */
  readonly processId: string;
  readonly argv: readonly string[];
  /** What the program is told it is called, where that differs from `argv[0]`. */
  readonly arg0: string | null;
  /** An absolute path there, as bytes where it is not UTF-8. */
  readonly cwd: string | Uint8Array;
  readonly env: Readonly<Record<string, string>>;
  /** null: nothing is inherited. */
  readonly envPolicy: EnvPolicy | null;
  readonly tty: boolean;
  readonly pipeStdin: boolean;
  /** How large its terminal is; null is the usual 24 by 80. */
  readonly size: TerminalSize | null;
  /** What a death by signal n on a terminal is reported as: Codex's wire says 1, everybody else 128 + n. */
  readonly terminalSignalExit: "one" | "128+n";
  /** What becomes of those who outlive it. Absent: as at Codex, who stays in its group dies when it is forgotten. */
  readonly leftovers?: Leftovers;
  /** A place that cannot enforce one of them refuses the start. */
  readonly limits?: Limits;
  /** How a limit ends it; absent is TERM and 5 s. */
  readonly ending?: Ending;
  /** It outlives whoever starts it, and others find it. A place where nothing does refuses the start. */
  readonly keep?: Keep;
}

export interface TerminalSize {
  readonly rows: number;
  readonly cols: number;
}

export { type Signal, SIGNALS } from "./signal.ts";

/** What a place can do beyond the common ground; a plain Codex server can do none of it. */
export interface Abilities {
  /** `resize`, a size at start, and honest exit codes of terminals. */
  readonly terminal: boolean;
  /** `closeInput`. */
  readonly closeInput: boolean;
  /** Every signal, and an end with grace. Without, only INT and an immediate kill. */
  readonly signals: boolean;
  /** What is done about descendants, limits and outcomes; null: what Codex does. */
  readonly trees: TreeFacts | null;
}

export type WriteStatus = "accepted" | "stdinClosed";

/** Starts processes, here or elsewhere; nobody above knows which. */
export interface Backend extends AsyncDisposable {
  /** What processes started now can be asked for. */
  abilities(): Promise<Abilities>;
  /** Resolves once the process runs; rejects with a ProcessError, and then nothing is left behind. */
  start(options: StartOptions): ProcessHandle | Promise<ProcessHandle>;
}

/** What a caller holds to follow and steer one process. */
export interface ProcessHandle {
  readonly processId: string;
  /** What it has done so far, and will do. */
  readonly log: EventLog;
  read(options: ReadOptions, givenUp: AbortSignal): LogPage | Promise<LogPage>;
  /**
   * Resolves when the bytes are accepted, in the order of the calls; waits while the input is full. A
   * `writeId` that was accepted before is acknowledged and not written again. One that is given up before there was
   * room is as if it had never been.
   */
  write(bytes: Uint8Array, writeId: string, givenUp?: AbortSignal): WriteStatus | Promise<WriteStatus>;
  /**
   * Ends its input after everything accepted so far; on a terminal by the end-of-file key. Takes a `writeId`
   * as a write does. Rejects with `unsupported` where the place cannot.
   */
  closeInput(writeId: string, givenUp?: AbortSignal): WriteStatus | Promise<WriteStatus>;
  /** Sends a signal to the whole group. Nothing happens once it has exited. */
  signal(signal: Signal): void | Promise<void>;
  resize(size: TerminalSize): void | Promise<void>;
  /**
   * Ends it, descendants included: by force at once, or asked by a signal first and forced after the grace.
   * True if there was something left to end. Does not wait for the end.
   */
  terminate(grace?: Ending): boolean | Promise<boolean>;
}

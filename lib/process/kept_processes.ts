import type { ProcessHandle } from "./backend.ts";
import type { Ending } from "./limits.ts";
import type { Account } from "./outcome.ts";
import type { GapEvent, OutputEvent, Stream } from "./process_event.ts";
import type { Signal } from "./signal.ts";

// Processes that outlive whoever started them, as those see them who come later.

export interface KeptProcess {
  readonly processId: string;
  readonly name: string | null;
  readonly labels: Readonly<Record<string, string>>;
  /** The first word of its command. The others are told to nobody: they may be secrets. */
  readonly program: string;
  /** `exited`: somebody still holds its output open. */
  readonly state: "running" | "exited" | "closed";
  readonly exitCode: number | null;
  readonly account: Account | null;
  readonly tty: boolean;
  readonly ageMs: number;
  /** How long it will be kept yet; null while it has not closed. */
  readonly expiresInMs: number | null;
  /** How many follow it now. */
  readonly readers: number;
  readonly nextSeq: number;
  readonly outputBytes: number;
}

/** Where a search of a log goes on; made by the place, and handed back as it is. */
export type LogPlace = object;

export interface LogQuery {
  /** The first or the last so many lines. */
  readonly head?: number;
  readonly tail?: number;
  readonly sinceSeq?: number;
  readonly stream?: Stream;
  /** Only the lines in which this is found. */
  readonly grep?: string;
  readonly from?: LogPlace;
  /** More is coming: an unfinished line at the end waits for its rest. */
  readonly follow?: boolean;
  /** How long to wait for something where there is nothing yet. */
  readonly waitMs?: number;
}

export interface LogFound {
  readonly chunks: readonly Omit<OutputEvent, "type">[];
  readonly gaps: readonly Omit<GapEvent, "type" | "seq">[];
  readonly place: LogPlace;
  /** There is more now. */
  readonly more: boolean;
  /** Of the last lines the oldest did not fit. */
  readonly isCut: boolean;
  readonly process: KeptProcess;
}

/** The kept processes of a place, by id. */
export interface KeptProcesses {
  list(): Promise<readonly KeptProcess[]>;
  /** Follows it from its first event. Whoever takes the input has it alone from then on. */
  attach(processId: string, options: { readonly write: boolean }): Promise<ProcessHandle>;
  /** Resolves once it has exited. */
  wait(processId: string): Promise<KeptProcess>;
  logs(processId: string, query: LogQuery): Promise<LogFound>;
  signal(processId: string, signal: Signal): Promise<void>;
  /** Ends it: see `ProcessHandle.terminate`. */
  terminate(processId: string, grace?: Ending): Promise<boolean>;
}

import type { OutputEvent } from "./process_event.ts";

/** Output that was put away together, as it comes back: the numbers that lie between belong to no output. */
export interface SpooledRun {
  readonly chunks: readonly OutputEvent[];
  /** How many bytes of output were before the first of them, kept or not. */
  readonly bytesBefore: number;
  /** The memory that the chunks are in, and nothing else. */
  readonly memory: Uint8Array<ArrayBuffer>;
}

/** Where a log puts what it does not hold in memory any more. */
export interface Spool {
  /** How much may wait to be put away before whoever prints it has to wait too. */
  readonly overdueBytes: number;
  /**
   * Puts the next output away. Resolves when that is done, and never rejects: what cannot be kept is missing when it is
   * read, and so may be the oldest. To be called again only when the last call is done.
   */
  write(chunks: readonly OutputEvent[], bytesBefore: number): Promise<void>;
  /** The oldest kept output after the cursor, about so many bytes of it and at least one chunk; null where there is none. */
  read(afterSeq: number, maxBytes: number): Promise<SpooledRun | null>;
  /** How many bytes were printed up to this number, or a little less: as far as is known without looking. */
  bytesUpTo(seq: number): number;
  /** Nobody will read it any more. */
  end(): void;
}

/** Where the logs of new processes get theirs. */
export interface Spools {
  open(): Spool;
}

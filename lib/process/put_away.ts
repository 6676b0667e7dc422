import type { LogWindow } from "./log_window.ts";
import type { OutputEvent } from "./process_event.ts";
import type { Spool } from "./spool.ts";

/** What is kept for those who come later: enough for a page of scrollback, little enough for 2,000 processes. */
export const RETAINED_BYTES = 1024 * 1024;
/** One-byte chunks cost far more than a byte each. */
export const RETAINED_CHUNKS = 50_000;
/** So much stays in memory of what could be on disk: live readers are no further behind. */
const SPOOLED_BYTES = 256 * 1024;
/** So much is put away at once: less would cost the disk more than it carries. */
const BATCH_BYTES = 512 * 1024;
const BATCH_CHUNKS = 4_096;
/** How many chunks the disk may fall behind before the writer is held; how many bytes, the spool says. */
const OVERDUE_CHUNKS = 2 * BATCH_CHUNKS;

/** A place in a log. */
export interface Place {
  readonly seq: number;
  /** How much was printed before it. */
  readonly bytes: number;
}

/** What leaves the memory of a log: the oldest, to the disk or for good, as soon as no live reader needs it. */
export class PutAway {
  #isWriting = false;
  #hasBegun = false;

  constructor(
    private readonly window: LogWindow,
    private readonly spool: Spool | null,
    /** The oldest event in memory that a live reader has not taken yet. */
    private readonly needed: () => Place,
    /** Something has left. */
    private readonly moved: () => void,
  ) {}

  /** To be called whenever there is more, or somebody needs less. */
  evict(where: "to the spool" | "for good"): void {
    if (where === "to the spool") this.#putAway(this.spool!);
    else this.#drop();
  }

  /** Whether the disk is so far behind that nothing more should be written. */
  get isBehind(): boolean {
    if (!this.#isWriting) return false;
    const { bytes, chunks } = this.#overdue();
    return bytes > this.spool!.overdueBytes || chunks > OVERDUE_CHUNKS;
  }

  #drop(): void {
    const { window } = this;
    const isFull = () => window.bytes > RETAINED_BYTES || window.chunks > RETAINED_CHUNKS;
    if (!isFull()) return;
    const { seq } = this.needed();
    while (isFull() && window.firstSeq < seq) window.dropOldest();
  }

  #putAway(spool: Spool): void {
    const { window } = this;
    if (this.#isWriting) return;
    // Mostly there is too little, and who needs what need not be asked. Who prints little never touches the disk.
    const least = this.#hasBegun ? SPOOLED_BYTES + BATCH_BYTES : RETAINED_BYTES + 1;
    if (window.bytes < least && window.chunks < RETAINED_CHUNKS + BATCH_CHUNKS) return;
    let { bytes, chunks } = this.#overdue();
    if (bytes < BATCH_BYTES && chunks < BATCH_CHUNKS) return;
    const batch: OutputEvent[] = [];
    const { firstSeq, bytesBefore } = window;
    const needed = this.needed().seq;
    bytes = Math.min(bytes, BATCH_BYTES);
    let lastSeq = firstSeq - 1;
    for (const event of window.peek(lastSeq)) {
      if ((bytes <= 0 && chunks <= 0) || event.seq >= needed) break;
      lastSeq = event.seq;
      if (event.type !== "output") continue;
      batch.push(event);
      bytes -= event.bytes.length;
      chunks -= 1;
    }
    this.#isWriting = true;
    this.#hasBegun = true;
    void spool.write(batch, bytesBefore).then(() => {
      this.#isWriting = false;
      while (window.firstSeq <= lastSeq) window.releaseOldest();
      this.moved();
    });
  }

  /** What is in memory beyond what is kept there, and no live reader still needs. */
  #overdue(): { bytes: number; chunks: number } {
    const { window } = this;
    const { seq, bytes } = this.needed();
    return {
      bytes: Math.min(window.bytes - SPOOLED_BYTES, bytes - window.bytesBefore),
      chunks: Math.min(window.chunks - RETAINED_CHUNKS, seq - window.firstSeq),
    };
  }
}

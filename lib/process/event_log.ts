import { type Fetched, Follower } from "./follower.ts";
import { type LogPage, PageBuilder } from "./log_page.ts";
import { LogWindow, sizeOf } from "./log_window.ts";
import { type KnownExit, missingEvents } from "./missing_events.ts";
import type {
  ClosedEvent,
  ExitedEvent,
  FailedEvent,
  OutputEvent,
  ProcessEvent,
  Stream,
} from "./process_event.ts";
import type { Account } from "./outcome.ts";
import type { Spool } from "./spool.ts";

export type { Follower } from "./follower.ts";
export type { LogPage } from "./log_page.ts";

/** What is kept for those who come later: enough for a page of scrollback, little enough for 2,000 processes. */
export const RETAINED_BYTES = 1024 * 1024;
/** The same of a process whose output is on disk anyway: live readers are no further behind. */
const SPOOLED_BYTES = 256 * 1024;
/** One-byte chunks cost far more than a byte each. */
export const RETAINED_CHUNKS = 50_000;
/** How far a live reader may fall behind before the writer is held: four full chunks. */
const HELD_BYTES = 256 * 1024;
/** A chunk counts as at least so many bytes, for it costs more than it carries. */
const SMALLEST_SHARE = 64;
/** So much is put away at once: less would cost the disk more than it carries. */
const PUT_AWAY_BYTES = 256 * 1024;
const PUT_AWAY_CHUNKS = 4_096;
/** The most that is put away at once: it is fetched again in such pieces. */
const LARGEST_BATCH_BYTES = 1024 * 1024;
/** How many chunks the disk may fall behind before the writer is held; how many bytes, the spool says. */
const OVERDUE_CHUNKS = 2 * PUT_AWAY_CHUNKS;
/** So much is fetched from the disk at once. */
const FETCH_BYTES = 512 * 1024;

/**
 * The numbered events of one process. One writer, any number of readers, each with a cursor of its own.
 *
 * A follower is a live reader: it loses nothing, and the writer waits for it in `whenRoom()`. Whoever only
 * reads pages is an absent reader: the oldest output beyond the retention limits is put away in the spool for it, or
 * is gone where there is none.
 */
export class EventLog {
  readonly #window = new LogWindow();
  #exit: KnownExit | null = null;
  #closed: ClosedEvent | null = null;
  #failed: FailedEvent | null = null;
  readonly #followers = new Set<Follower>();
  readonly #watchers = new Set<() => void>();
  readonly #takeWatchers = new Set<() => void>();
  #roomWaiters: (() => void)[] = [];
  #isPuttingAway = false;
  #hasPutAway = false;
  #isForgotten = false;

  constructor(private readonly spool: Spool | null = null) {}

  get nextSeq(): number {
    return this.#window.nextSeq;
  }

  get exited(): ExitedEvent | null {
    return this.#exit?.event ?? null;
  }

  get closed(): ClosedEvent | null {
    return this.#closed;
  }

  get failed(): FailedEvent | null {
    return this.#failed;
  }

  /** Whether what leaves memory can still be read. */
  get isSpooled(): boolean {
    return this.spool !== null && !this.#isForgotten;
  }

  /** How much was printed, kept or not. */
  get writtenBytes(): number {
    return this.#window.writtenBytes;
  }

  /** With a spool the bytes are the log's from now on: their memory may be gone when they are on disk. */
  appendOutput(stream: Stream, bytes: Uint8Array): void {
    this.#append({ type: "output", seq: this.nextSeq, stream, bytes });
  }

  appendExited(exitCode: number, sandboxDenied: boolean, account: Account | null = null): void {
    const event: ExitedEvent = {
      ...{ type: "exited", seq: this.nextSeq, exitCode, sandboxDenied },
      ...(account === null ? {} : { account }),
    };
    this.#exit = { event, bytesBefore: this.writtenBytes };
    this.#append(event);
  }

  appendClosed(): void {
    this.#closed = { type: "closed", seq: this.nextSeq };
    this.#append(this.#closed);
  }

  /** Where the events come from, those up to and with `toSeq` are not kept any more. */
  appendGap(toSeq: number, bytes: number | null): void {
    this.#append({ type: "gap", seq: toSeq, fromSeq: this.nextSeq, toSeq, bytes });
  }

  /** Nothing more will be known. Followers are told after everything before it; the first reason stays. */
  fail(message: string): void {
    if (this.#failed !== null || this.#closed !== null) return;
    this.#failed = { type: "failed", message };
    for (const follower of this.#followers) follower.wake();
    for (const wake of this.#watchers) wake();
  }

  /** Nobody new will read it. What is on disk goes with the last of the followers there are. */
  forget(): void {
    this.#isForgotten = true;
    if (this.#followers.size === 0) this.spool?.end();
  }

  /** Whether a page after this cursor is no promise. */
  isInMemory(afterSeq: number): boolean {
    return this.spool === null || afterSeq + 1 >= this.#window.firstSeq;
  }

  /**
   * The kept chunks after a cursor, oldest first. The first is given whole however large it is; `maxBytes`
   * ends the page before a chunk that would exceed it. A promise where the page begins on disk.
   */
  page(afterSeq: number, maxBytes: number | null): LogPage | Promise<LogPage> {
    const page = new PageBuilder(afterSeq, maxBytes);
    return this.isInMemory(afterSeq) ? this.#fillFromMemory(page) : this.#fillFromSpool(page);
  }

  /** The newest chunks in memory, oldest first, as many whole ones as are at most so many bytes; at least one if there is any. */
  lastOutput(bytes: number): OutputEvent[] {
    const chunks = [...this.#window.after(0)].filter((event) => event.type === "output");
    let [first, total] = [chunks.length, 0];
    while (first > 0 && (first === chunks.length || total + chunks[first - 1]!.bytes.length <= bytes)) {
      first -= 1;
      total += chunks[first]!.bytes.length;
    }
    return chunks.slice(first);
  }

  /** Calls `wake` after every event until the returned function is called. */
  watch(wake: () => void): () => void {
    this.#watchers.add(wake);
    return () => this.#watchers.delete(wake);
  }

  /** Calls `moved` whenever a live reader took events or left, until the returned function is called. */
  watchTaken(moved: () => void): () => void {
    this.#takeWatchers.add(moved);
    return () => this.#takeWatchers.delete(moved);
  }

  /** How far the slowest live reader is, in events and in bytes. Where nobody follows, all counts as taken. */
  taken(): { readonly seq: number; readonly bytes: number } {
    let [seq, bytes] = [this.nextSeq - 1, this.writtenBytes];
    for (const follower of this.#followers) {
      if (follower.cursor < seq) [seq, bytes] = [follower.cursor, follower.takenBytes];
    }
    return { seq, bytes };
  }

  /**
   * A live reader of everything after `afterSeq`; `wake` is called when there is something new for it. The writer
   * is held once it is `heldBytes` behind. One that comes too late for some of it is told of the gap.
   */
  follow(afterSeq: number, wake: () => void, heldBytes = HELD_BYTES): Follower {
    const window = this.#window;
    const follower: Follower = new Follower(Math.min(afterSeq, this.nextSeq - 1), heldBytes, wake, {
      get nextSeq() {
        return window.nextSeq;
      },
      get firstSeq() {
        return window.firstSeq;
      },
      next: (seq) => window.next(seq),
      fetch: (seq, taken) =>
        this.isInMemory(seq) ? this.#gone(seq, taken) : this.#fetch(seq, taken, FETCH_BYTES),
      bytesUpTo: (seq) => this.#bytesUpTo(seq),
      failed: () => this.#failed,
      moved: () => this.#moved(),
      left: () => {
        this.#followers.delete(follower);
        if (this.#isForgotten && this.#followers.size === 0) this.spool?.end();
        this.#moved();
      },
    });
    this.#followers.add(follower);
    return follower;
  }

  /** True while a live reader, or the disk, is too far behind for more to be written. */
  get isHeld(): boolean {
    for (const follower of this.#followers) {
      if (this.writtenBytes - follower.takenBytes > follower.heldBytes) return true;
      if (this.nextSeq - follower.cursor > follower.heldBytes / SMALLEST_SHARE) return true;
    }
    if (!this.#isPuttingAway) return false;
    const { bytes, chunks } = this.#overdue();
    return bytes > this.spool!.overdueBytes || chunks > OVERDUE_CHUNKS;
  }

  /** Resolves when no live reader is too far behind. A reader that leaves holds nobody. */
  async whenRoom(): Promise<void> {
    while (this.isHeld) await new Promise<void>((resolve) => this.#roomWaiters.push(resolve));
  }

  #append(event: ProcessEvent): void {
    this.#window.push(event);
    for (const follower of this.#followers) follower.wake();
    // After the followers, so that what they took at once need not be kept for them.
    this.#evict();
    for (const wake of this.#watchers) wake();
  }

  #fillFromMemory(page: PageBuilder): LogPage {
    if (!page.isFull && page.cursor + 1 < this.#window.firstSeq) {
      for (const event of this.#gone(page.cursor, page.cursor === 0 ? 0 : null).events) page.take(event);
    }
    if (!page.isFull) {
      for (const event of this.#window.after(page.cursor)) {
        page.take(event);
        if (page.isFull) break;
      }
    }
    const { nextSeq, exited, closed } = this;
    return page.finish({ nextSeq, exited, closed, failure: this.#failed?.message ?? null });
  }

  async #fillFromSpool(page: PageBuilder): Promise<LogPage> {
    let taken = page.cursor === 0 ? 0 : null;
    while (!page.isFull && !this.isInMemory(page.cursor)) {
      const { events, takenBytes } = await this.#fetch(page.cursor, taken, page.room);
      taken = takenBytes;
      for (const event of events) {
        page.take(event);
        if (page.isFull) break;
        taken += sizeOf(event);
      }
    }
    return this.#fillFromMemory(page);
  }

  /** The next events that are on disk, or what stands in their place. Nothing where they are in memory after all. */
  async #fetch(cursor: number, taken: number | null, maxBytes: number): Promise<Fetched> {
    while (!this.isInMemory(cursor)) {
      const { firstSeq } = this.#window;
      const run = await this.spool!.read(cursor, maxBytes);
      if (run !== null) {
        const { chunks, bytesBefore } = run;
        const events = missingEvents(cursor, { seq: chunks[0]!.seq, bytesBefore }, taken, this.#exit);
        const takenBytes = bytesBefore - total(events);
        for (const chunk of chunks) {
          // The exit may stand between two chunks that were put away together.
          const exit = this.exited;
          const before = events.at(-1)?.seq ?? cursor;
          if (exit !== null && before < exit.seq && exit.seq < chunk.seq) events.push(exit);
          events.push(chunk);
        }
        return { events, takenBytes };
      }
      // Something may have been put away while we looked.
      if (this.#window.firstSeq === firstSeq) return this.#gone(cursor, taken);
    }
    return { events: [], takenBytes: this.#bytesUpTo(cursor) };
  }

  /** What stands in the place of everything between a cursor and the oldest event in memory. */
  #gone(cursor: number, taken: number | null): Fetched {
    const { firstSeq, bytesBefore } = this.#window;
    const events = missingEvents(cursor, { seq: firstSeq, bytesBefore }, taken, this.#exit);
    return { events, takenBytes: bytesBefore - total(events) };
  }

  #bytesUpTo(seq: number): number {
    return this.isInMemory(seq) ? this.#window.bytesUpTo(seq) : this.spool!.bytesUpTo(seq);
  }

  #evict(): void {
    if (this.isSpooled) this.#putAway();
    else this.#drop();
  }

  #isFull(): boolean {
    return this.#window.bytes > this.#retainedBytes || this.#window.chunks > RETAINED_CHUNKS;
  }

  get #retainedBytes(): number {
    return this.#hasPutAway ? SPOOLED_BYTES : RETAINED_BYTES;
  }

  #drop(): void {
    if (!this.#isFull()) return;
    const { seq } = this.#needed();
    while (this.#isFull() && this.#window.firstSeq < seq) this.#window.dropOldest();
  }

  #putAway(): void {
    if (this.#isPuttingAway || !this.#isFull()) return;
    let { bytes, chunks } = this.#overdue();
    if (bytes < PUT_AWAY_BYTES && chunks < PUT_AWAY_CHUNKS) return;
    const batch: OutputEvent[] = [];
    const { firstSeq, bytesBefore } = this.#window;
    const needed = this.#needed().seq;
    bytes = Math.min(bytes, LARGEST_BATCH_BYTES);
    let lastSeq = firstSeq - 1;
    for (const event of this.#window.peek(lastSeq)) {
      if ((bytes <= 0 && chunks <= 0) || event.seq >= needed) break;
      lastSeq = event.seq;
      if (event.type !== "output") continue;
      batch.push(event);
      bytes -= event.bytes.length;
      chunks -= 1;
    }
    this.#isPuttingAway = true;
    this.#hasPutAway = true;
    void this.spool!.write(batch, bytesBefore).then(() => {
      this.#isPuttingAway = false;
      while (this.#window.firstSeq <= lastSeq) this.#window.releaseOldest();
      this.#moved();
    });
  }

  /** What is in memory beyond what is kept there, and no live reader still needs. */
  #overdue(): { bytes: number; chunks: number } {
    const { seq, bytes } = this.#needed();
    return {
      bytes: Math.min(this.#window.bytes - this.#retainedBytes, bytes - this.#window.bytesBefore),
      chunks: Math.min(this.#window.chunks - RETAINED_CHUNKS, seq - this.#window.firstSeq),
    };
  }

  /** The oldest event in memory that a live reader has not taken yet, and how many bytes were before it. */
  #needed(): { seq: number; bytes: number } {
    let [seq, bytes] = [this.nextSeq, this.writtenBytes];
    for (const { cursor, takenBytes } of this.#followers) {
      // Whoever is further behind than memory goes reads from the disk, if there is one.
      if (cursor + 1 < seq && (this.spool === null || cursor + 1 >= this.#window.firstSeq)) {
        [seq, bytes] = [cursor + 1, takenBytes];
      }
    }
    return { seq, bytes };
  }

  #moved(): void {
    this.#evict();
    for (const moved of this.#takeWatchers) moved();
    if (this.#roomWaiters.length === 0 || this.isHeld) return;
    const waiters = this.#roomWaiters;
    this.#roomWaiters = [];
    for (const resolve of waiters) resolve();
  }
}

function total(events: readonly ProcessEvent[]): number {
  return events.reduce((sum, event) => sum + sizeOf(event), 0);
}

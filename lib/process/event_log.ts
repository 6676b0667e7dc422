import { Follower } from "./follower.ts";
import { type LogPage, PageBuilder } from "./log_page.ts";
import { LogWindow, sizeOf } from "./log_window.ts";
import type { KnownExit } from "./missing_events.ts";
import type {
  ClosedEvent,
  ExitedEvent,
  FailedEvent,
  OutputEvent,
  ProcessEvent,
  Stream,
} from "./process_event.ts";
import type { Account } from "./outcome.ts";
import { PastEvents } from "./past_events.ts";
import { type Place, PutAway } from "./put_away.ts";
import type { Spool } from "./spool.ts";

export type { Follower } from "./follower.ts";
export type { LogPage } from "./log_page.ts";
export { RETAINED_BYTES, RETAINED_CHUNKS } from "./put_away.ts";

/** How far a live reader may fall behind before the writer is held: four full chunks. */
const HELD_BYTES = 256 * 1024;
/** A chunk counts as at least so many bytes, for it costs more than it carries. */
const SMALLEST_SHARE = 64;
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
  #isForgotten = false;
  readonly #past: PastEvents;
  readonly #putAway: PutAway;

  constructor(private readonly spool: Spool | null = null) {
    this.#past = new PastEvents(this.#window, spool, () => this.#exit);
    this.#putAway = new PutAway(this.#window, spool, () => this.#needed(), () => this.#moved());
  }

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
    return this.#past.isInMemory(afterSeq);
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
   * is held once it is `heldBytes` behind; with Infinity nothing waits for it or is kept for it in memory. One that comes too late for some of it is told of the gap.
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
        this.isInMemory(seq) ? this.#past.gone(seq, taken) : this.#past.fetch(seq, taken, FETCH_BYTES),
      bytesUpTo: (seq) => this.#past.bytesUpTo(seq),
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
    return this.#putAway.isBehind;
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
      for (const event of this.#past.gone(page.cursor, page.cursor === 0 ? 0 : null).events) page.take(event);
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
      const { events, takenBytes, memory } = await this.#past.fetch(page.cursor, taken, page.room);
      if (memory !== undefined) page.takeMemory(memory);
      taken = takenBytes;
      for (const event of events) {
        page.take(event);
        if (page.isFull) break;
        taken += sizeOf(event);
      }
    }
    return this.#fillFromMemory(page);
  }

  #evict(): void {
    this.#putAway.evict(this.isSpooled ? "to the spool" : "for good");
  }

  /** The oldest event in memory that a live reader has not taken yet, and how many bytes were before it. */
  #needed(): Place {
    let [seq, bytes] = [this.nextSeq, this.writtenBytes];
    for (const { cursor, takenBytes, heldBytes } of this.#followers) {
      if (heldBytes === Infinity) continue; // takes what it finds
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

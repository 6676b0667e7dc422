import type { ClosedEvent, ExitedEvent, FailedEvent, ProcessEvent, Stream } from "./process_event.ts";

/** What is kept for those who come later: enough for a page of scrollback, little enough for 2,000 processes. */
export const RETAINED_BYTES = 1024 * 1024;
/** One-byte chunks cost far more than a byte each. */
export const RETAINED_CHUNKS = 50_000;
/** How far a live reader may fall behind before the writer is held: four full chunks. */
const HELD_BYTES = 256 * 1024;
/** A chunk counts as at least so many bytes, for it costs more than it carries. */
const SMALLEST_SHARE = 64;

export interface LogPage {
  readonly chunks: readonly { readonly seq: number; readonly stream: Stream; readonly bytes: Uint8Array }[];
  /** Where the next page begins, minus one, is the cursor to ask with. */
  readonly nextSeq: number;
  readonly exited: ExitedEvent | null;
  readonly closed: boolean;
  /** Why nothing more will be known; only a client says it. */
  readonly failure: string | null;
}

const GONE: ProcessEvent = { type: "closed", seq: 0 };

/**
 * The numbered events of one process. One writer, any number of readers, each with a cursor of its own.
 *
 * A follower is a live reader: it loses nothing, and the writer waits for it in `whenRoom()`. Whoever only
 * reads pages is an absent reader: the oldest output beyond the retention limits is gone for it.
 */
export class EventLog {
  #events: ProcessEvent[] = [];
  #head = 0; // index of the oldest kept event; the array is cut now and then, not at every eviction
  #nextSeq = 1;
  #keptBytes = 0;
  #keptChunks = 0;
  #writtenBytes = 0;
  #exited: ExitedEvent | null = null;
  #closed: ClosedEvent | null = null;
  #failed: FailedEvent | null = null;
  readonly #followers = new Set<Follower>();
  readonly #watchers = new Set<() => void>();
  readonly #takeWatchers = new Set<() => void>();
  #roomWaiters: (() => void)[] = [];

  get nextSeq(): number {
    return this.#nextSeq;
  }

  get exited(): ExitedEvent | null {
    return this.#exited;
  }

  get closed(): ClosedEvent | null {
    return this.#closed;
  }

  get failed(): FailedEvent | null {
    return this.#failed;
  }

  appendOutput(stream: Stream, bytes: Uint8Array): void {
    this.#keptBytes += bytes.length;
    this.#keptChunks += 1;
    this.#writtenBytes += bytes.length;
    this.#append({ type: "output", seq: this.#nextSeq, stream, bytes });
  }

  appendExited(exitCode: number, sandboxDenied: boolean): void {
    this.#exited = { type: "exited", seq: this.#nextSeq, exitCode, sandboxDenied };
    this.#append(this.#exited);
  }

  appendClosed(): void {
    this.#closed = { type: "closed", seq: this.#nextSeq };
    this.#append(this.#closed);
  }

  /** Nothing more will be known. Followers are told after everything before it; the first reason stays. */
  fail(message: string): void {
    if (this.#failed !== null || this.#closed !== null) return;
    this.#failed = { type: "failed", message };
    for (const follower of this.#followers) follower.wake();
    for (const wake of this.#watchers) wake();
  }

  /**
   * The kept chunks after a cursor, oldest first. The first is given whole however large it is; `maxBytes`
   * ends the page before a chunk that would exceed it.
   */
  page(afterSeq: number, maxBytes: number | null): LogPage {
    const chunks: { seq: number; stream: Stream; bytes: Uint8Array }[] = [];
    let total = 0;
    const first = this.#firstSeq();
    for (let seq = Math.max(afterSeq + 1, first); seq < this.#nextSeq; seq++) {
      const event = this.#events[this.#head + seq - first]!;
      if (event.type !== "output") continue;
      if (maxBytes !== null && chunks.length > 0 && total + event.bytes.length > maxBytes) break;
      chunks.push(event);
      total += event.bytes.length;
      if (maxBytes !== null && total >= maxBytes) break;
    }
    const last = chunks.at(-1);
    const nextSeq = maxBytes === null || last === undefined ? this.#nextSeq : last.seq + 1;
    return {
      chunks,
      nextSeq,
      exited: this.#exited,
      closed: this.#closed !== null,
      failure: this.#failed?.message ?? null,
    };
  }

  /** The newest chunks, oldest first, as many whole ones as are at most so many bytes; at least one if there is any. */
  lastOutput(bytes: number): { readonly stream: Stream; readonly bytes: Uint8Array }[] {
    const { chunks } = this.page(0, null);
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
    let [seq, bytes] = [this.#nextSeq - 1, this.#writtenBytes];
    for (const follower of this.#followers) {
      if (follower.cursor < seq) [seq, bytes] = [follower.cursor, follower.takenBytes];
    }
    return { seq, bytes };
  }

  /**
   * A live reader of everything after `afterSeq`; `wake` is called when there is something new for it. The writer
   * is held once it is `heldBytes` behind.
   */
  follow(afterSeq: number, wake: () => void, heldBytes = HELD_BYTES): Follower {
    const cursor = Math.min(Math.max(afterSeq, this.#firstSeq() - 1), this.#nextSeq - 1);
    let unread = 0;
    for (let seq = cursor + 1; seq < this.#nextSeq; seq++) unread += sizeOf(this.#at(seq));
    const follower: Follower = new Follower(cursor, this.#writtenBytes - unread, heldBytes, wake, {
      next: (seq) => (seq < this.#nextSeq ? this.#at(seq) : null),
      failed: () => this.#failed,
      moved: () => this.#moved(),
      left: () => {
        this.#followers.delete(follower);
        this.#moved();
      },
    });
    this.#followers.add(follower);
    return follower;
  }

  /** True while a live reader is too far behind for more to be written. */
  get isHeld(): boolean {
    for (const follower of this.#followers) {
      if (this.#writtenBytes - follower.takenBytes > follower.heldBytes) return true;
      if (this.#nextSeq - follower.cursor > follower.heldBytes / SMALLEST_SHARE) return true;
    }
    return false;
  }

  /** Resolves when no live reader is too far behind. A reader that leaves holds nobody. */
  async whenRoom(): Promise<void> {
    while (this.isHeld) await new Promise<void>((resolve) => this.#roomWaiters.push(resolve));
  }

  #append(event: ProcessEvent): void {
    this.#events.push(event);
    this.#nextSeq += 1;
    for (const follower of this.#followers) follower.wake();
    // After the followers, so that what they took at once need not be kept for them.
    this.#evict();
    for (const wake of this.#watchers) wake();
  }

  #at(seq: number): ProcessEvent {
    return this.#events[this.#head + seq - this.#firstSeq()]!;
  }

  #firstSeq(): number {
    return this.#nextSeq - (this.#events.length - this.#head);
  }

  #evict(): void {
    if (this.#keptBytes <= RETAINED_BYTES && this.#keptChunks <= RETAINED_CHUNKS) return;
    let needed = this.#nextSeq; // the oldest event that a live reader has not taken yet
    for (const follower of this.#followers) needed = Math.min(needed, follower.cursor + 1);
    let first = this.#firstSeq();
    while ((this.#keptBytes > RETAINED_BYTES || this.#keptChunks > RETAINED_CHUNKS) && first < needed) {
      const event = this.#events[this.#head]!;
      if (event.type === "output") {
        this.#keptBytes -= event.bytes.length;
        this.#keptChunks -= 1;
      }
      this.#events[this.#head] = GONE; // its bytes go now, its place when the array is cut
      this.#head += 1;
      first += 1;
    }
    // Shifting at each eviction would move the whole array; leaving it would keep every byte alive.
    if (this.#head > 64 && this.#head * 2 > this.#events.length) {
      this.#events = this.#events.slice(this.#head);
      this.#head = 0;
    }
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

/** One live reader's place in a log. */
export class Follower {
  constructor(
    public cursor: number,
    public takenBytes: number,
    readonly heldBytes: number,
    readonly wake: () => void,
    private readonly log: {
      next(seq: number): ProcessEvent | null;
      failed(): FailedEvent | null;
      moved(): void;
      left(): void;
    },
  ) {}

  /** The next event, or null when there is none yet. */
  take(): ProcessEvent | null {
    const event = this.log.next(this.cursor + 1);
    if (event === null) return null;
    this.#pass(event);
    this.log.moved();
    return event;
  }

  /** Why there will be no more events, once all before it are taken; null while there may be. */
  failure(): FailedEvent | null {
    return this.log.next(this.cursor + 1) === null ? this.log.failed() : null;
  }

  /** Takes everything up to and with `seq` unseen: somebody else is known to have it. */
  skipTo(seq: number): void {
    for (let event = this.log.next(this.cursor + 1); event !== null && event.seq <= seq;) {
      this.#pass(event);
      event = this.log.next(this.cursor + 1);
    }
    this.log.moved();
  }

  #pass(event: ProcessEvent): void {
    this.cursor = event.seq;
    this.takenBytes += sizeOf(event);
  }

  /** Reads no more, and holds the writer back no more. */
  leave(): void {
    this.log.left();
  }
}

function sizeOf(event: ProcessEvent): number {
  return event.type === "output" ? event.bytes.length : 0;
}

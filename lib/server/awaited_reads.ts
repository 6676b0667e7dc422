import type { Clock, Timer } from "../base/clock.ts";
import type { LogPage } from "../process/event_log.ts";
import type { LocalProcess } from "../process/local/local_process.ts";
import type { Outbox } from "../rpc/outbox.ts";

/** How long a client that is back may take to ask for what it missed, while nothing is on its way to it. */
const PATIENCE_MS = 1_000;
/**
 * Codex's client puts an answer in its place while it takes what it is told next, and gives a process up that is a MiB ahead
 * of that. It was seen to fall behind with 8 MiB that were followed at once.
 */
const SETTLED_BYTES_PER_MS = 8 * 1024;

/**
 * Processes of which a client that is back is told only after it has read: one answer need not hold all that it missed, and
 * what it is told has to go on where that ends. One that does not read is told of what happens from its return on.
 */
export class AwaitedReads {
  readonly #cursors = new Map<LocalProcess, number>();
  readonly #settling = new Set<Timer>();
  #patience: Timer | null = null;

  constructor(
    private readonly clock: Clock,
    private readonly outbox: Outbox,
    /** Whether the client needs time to put an answer in its place. */
    private readonly settles: boolean,
    private readonly begin: (process: LocalProcess, afterSeq: number) => void,
  ) {}

  /** `cursor` is where its return found the process. */
  add(process: LocalProcess, cursor: number): void {
    this.#cursors.set(process, cursor);
    this.#waitOn();
  }

  /** To be called while the answer is put into words: it is sent before what comes after it. */
  read(process: LocalProcess, { chunks, nextSeq }: LogPage): void {
    if (!this.#cursors.delete(process)) return;
    this.#waitOn(); // it may ask for one after the other
    const bytes = this.settles ? chunks.reduce((sum, chunk) => sum + chunk.bytes.length, 0) : 0;
    const ms = Math.floor(bytes / SETTLED_BYTES_PER_MS);
    if (ms === 0) queueMicrotask(() => this.begin(process, nextSeq - 1));
    else this.#settle(ms, () => this.begin(process, nextSeq - 1));
  }

  stop(): void {
    this.#patience?.cancel();
    for (const timer of this.#settling) timer.cancel();
    this.#settling.clear();
    this.#cursors.clear();
  }

  #settle(ms: number, begin: () => void): void {
    const timer = this.clock.after(ms, () => {
      this.#settling.delete(timer);
      // As long as it is on its way it cannot be in its place.
      if (this.outbox.unsentBytes > 0) this.#settle(ms, begin);
      else begin();
    });
    this.#settling.add(timer);
  }

  #waitOn(): void {
    this.#patience?.cancel();
    if (this.#cursors.size > 0) this.#patience = this.clock.after(PATIENCE_MS, () => this.#timeIsUp());
  }

  #timeIsUp(): void {
    if (this.outbox.unsentBytes > 0) return this.#waitOn();
    const left = [...this.#cursors];
    this.#cursors.clear();
    for (const [process, cursor] of left) this.begin(process, cursor);
  }
}

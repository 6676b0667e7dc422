import type { Clock, Timer } from "../base/clock.ts";
import type { EventLog } from "../process/event_log.ts";

/** The acknowledgement of a reader that has everything waits this long for more to acknowledge. */
const IDLE_MS = 100;
/** An event costs the server more than its bytes; it counts so many at least. */
const EVENT_COST = 64;

/**
 * Tells the server what the readers of one process have taken (`flow.v1`), not merely what arrived: a slow terminal then
 * slows the program, and costs memory on neither side.
 */
export class Acknowledger {
  #acked = { seq: 0, cost: 0 };
  #idle: Timer | null = null;

  constructor(
    private readonly log: EventLog,
    private readonly clock: Clock,
    /** Sends it; null where there is no connection or it needs no acknowledgements. */
    private readonly send: () => { readonly windowBytes: number; ack(seq: number): void } | null,
  ) {}

  /** Events came or were taken. */
  moved(): void {
    const { seq, cost } = this.#taken();
    if (seq <= this.#acked.seq) return;
    const sender = this.send();
    if (sender === null) return;
    // A quarter: often enough that the window never closes for a reader that keeps up.
    if (cost - this.#acked.cost > sender.windowBytes / 4) return this.#acknowledge(seq, cost, sender.ack);
    if (seq === this.log.nextSeq - 1) this.#idle ??= this.clock.after(IDLE_MS, () => this.flush());
  }

  /** Says it again on a new connection: what was said last may have been lost. */
  resumed(): void {
    this.#acked = { seq: 0, cost: 0 };
    this.flush();
  }

  /** Acknowledges everything that was taken, now. */
  flush(): void {
    const { seq, cost } = this.#taken();
    const sender = this.send();
    if (seq > this.#acked.seq && sender !== null) this.#acknowledge(seq, cost, sender.ack);
    else this.stop();
  }

  stop(): void {
    this.#idle?.cancel();
    this.#idle = null;
  }

  #acknowledge(seq: number, cost: number, ack: (seq: number) => void): void {
    this.stop();
    this.#acked = { seq, cost };
    ack(seq);
  }

  #taken(): { seq: number; cost: number } {
    const { seq, bytes } = this.log.taken();
    return { seq, cost: bytes + seq * EVENT_COST };
  }
}

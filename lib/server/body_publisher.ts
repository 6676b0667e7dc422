import type { Clock } from "../base/clock.ts";
import type { HttpBody } from "../http/http_client.ts";
import { HttpError } from "../http/http_error.ts";
import type { Outbox, Producer } from "../rpc/outbox.ts";
import { writeBodyDelta, writeBodyEnd } from "../wire/http_messages.ts";

/** Of one notification: large enough for speed, and small enough for others to come between. */
const DELTA_BYTES = 256 * 1024;
/** A client keeps few notifications, so small pieces that follow each other closely are gathered. */
const SMALL_DELTA_BYTES = 16 * 1024;
const GATHER_MS = 8;

/** Sends the body of one response to one connection, no faster than that takes it. */
export class BodyPublisher implements Producer {
  readonly #id: string;
  #seq = 0;
  #lastSent = -Infinity;
  #smallInARow = 0;
  #wake: (() => void) | null = null;

  constructor(
    requestId: string,
    private readonly body: HttpBody,
    private readonly outbox: Outbox,
    private readonly clock: Clock,
    private readonly gone: AbortSignal,
  ) {
    this.#id = JSON.stringify(requestId);
  }

  /**
   * Resolves when the last notification is sent, which is told just before, or nobody is there to take it. The
   * first one is sent in a later turn than this is called in.
   */
  async publish(beforeEnd: () => void): Promise<void> {
    const wakeUp = () => this.pump();
    this.gone.addEventListener("abort", wakeUp);
    let error: string | null = null;
    try {
      while (await this.#sendNext());
    } catch (failure) {
      if (!(failure instanceof HttpError)) throw failure;
      error = failure.message;
    } finally {
      this.body.drop();
      this.gone.removeEventListener("abort", wakeUp);
    }
    await this.#room();
    this.outbox.forget(this);
    beforeEnd();
    if (!this.gone.aborted) this.outbox.put(writeBodyEnd(this.#id, ++this.#seq, error));
  }

  pump(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }

  /** False at the end. The body is not asked for more while there is no room for it. */
  async #sendNext(): Promise<boolean> {
    await this.#room();
    if (this.#smallInARow >= 2) await this.#gather();
    const bytes = await this.body.take(DELTA_BYTES);
    if (bytes === null) return false;
    await this.#room();
    if (this.gone.aborted) return false;
    this.outbox.put(writeBodyDelta(this.#id, ++this.#seq, bytes));
    const now = this.clock.now();
    const isSmall = bytes.length < SMALL_DELTA_BYTES;
    if (!isSmall) this.#smallInARow = 0;
    else this.#smallInARow = now - this.#lastSent < GATHER_MS * 2 ? this.#smallInARow + 1 : 1;
    this.#lastSent = now;
    return true;
  }

  /** Lets some time pass since the last one. */
  #gather(): Promise<void> {
    const left = this.#lastSent + GATHER_MS - this.clock.now();
    if (left <= 0) return Promise.resolve();
    return new Promise((resolve) => this.clock.after(left, resolve));
  }

  /** Resolves when something may be sent, or nobody is there any more. */
  async #room(): Promise<void> {
    while (this.outbox.isFull && !this.gone.aborted) {
      this.outbox.waitForRoom(this);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

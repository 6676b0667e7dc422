const MOST_BYTES = 65_536;
/** Sent at once: few enough that a slow link shows that it moves. */
const SENT_BYTES = 16_384;

/** What was typed and not yet taken: it waits here, so that whoever reads the keys need not. */
export class KeyQueue {
  #waiting: Uint8Array[] = [];
  #bytes = 0;
  #isClosed = false;
  #sending: Promise<void> = Promise.resolve();
  #isSending = false;
  #moved = Promise.withResolvers<void>();

  /** `send` resolves with whether more may follow. */
  constructor(private readonly send: (bytes: Uint8Array) => Promise<boolean>) {}

  /** One read more than the most may wait. */
  get isFull(): boolean {
    return this.#bytes >= MOST_BYTES;
  }

  /** False when they are lost: there is no room. What nobody takes any more needs none. */
  put(bytes: Uint8Array): boolean {
    if (this.#isClosed) return true;
    if (this.isFull) return false;
    this.#waiting.push(bytes);
    this.#bytes += bytes.length;
    if (!this.#isSending) this.#sending = this.#sendAll();
    return true;
  }

  /** Resolves when some of it was taken. */
  get moved(): Promise<void> {
    return this.#moved.promise;
  }

  /** Resolves, once all is taken, with whether more may follow. */
  async drained(): Promise<boolean> {
    await this.#sending;
    return !this.#isClosed;
  }

  close(): void {
    this.#isClosed = true;
    this.#waiting = [];
    this.#bytes = 0;
    this.#tellMoved();
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true;
    while (this.#waiting.length > 0) {
      const bytes = this.#next();
      if (!await this.send(bytes)) this.close();
      if (this.#isClosed) break;
      this.#bytes -= bytes.length;
      this.#tellMoved();
    }
    this.#isSending = false;
  }

  #next(): Uint8Array {
    let size = 0;
    const tooMany = this.#waiting.findIndex((bytes) => (size += bytes.length) > SENT_BYTES);
    return Buffer.concat(
      this.#waiting.splice(0, tooMany === -1 ? this.#waiting.length : Math.max(tooMany, 1)),
    );
  }

  #tellMoved(): void {
    this.#moved.resolve();
    this.#moved = Promise.withResolvers();
  }
}

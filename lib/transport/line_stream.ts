import type { Receiver, Transport } from "../rpc/transport.ts";

/** Above this much unsent, producers wait. */
const FULL_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Where lines go: the runtime's writer of a pipe or a file. */
export interface LineSink {
  write(bytes: Uint8Array | string): number | Promise<number>;
  flush(): number | Promise<number>;
}

/** One message a line, over a pair of byte streams: stdio, or a spawned program's. */
export class LineStream implements Transport {
  #receiver: Receiver | null = null;
  #unsent = 0;
  #full = false;
  #sending: Promise<void> | null = null;
  #outgoing: string[] = [];
  #told = false;
  #ended = false;
  #resume: (() => void) | null = null;
  #paused: Promise<void> | null = null;

  constructor(
    private readonly input: ReadableStream<Uint8Array>,
    private readonly output: LineSink,
    readonly label: string,
    private readonly maxLineBytes: number,
  ) {}

  get isFull(): boolean {
    return this.#full;
  }

  get unsentBytes(): number {
    return this.#unsent;
  }

  send(message: string): void {
    if (this.#ended) return;
    this.#outgoing.push(message);
    this.#unsent += message.length;
    if (this.#unsent > FULL_BYTES) this.#full = true;
    this.#sending ??= this.#sendAll();
  }

  receive(receiver: Receiver): void {
    this.#receiver = receiver;
    this.#readAll().then(
      () => this.#inputEnded(),
      (error) => this.#close(error instanceof Error ? error.message : String(error)),
    );
  }

  pause(): void {
    this.#paused ??= new Promise((resolve) => (this.#resume = resolve));
  }

  resume(): void {
    this.#resume?.();
    this.#resume = null;
    this.#paused = null;
  }

  /** A pipe has no signs of life besides its messages; its end is noticed without. */
  ping(): void {
    this.#receiver?.heard();
  }

  end(): void {
    this.resume();
    this.#close("ended by this side");
  }

  /** Resolves when everything that was sent has left. */
  async flushed(): Promise<void> {
    await this.#sending;
  }

  async #sendAll(): Promise<void> {
    try {
      while (this.#outgoing.length > 0) {
        const batch = this.#outgoing.splice(0);
        const size = batch.reduce((sum, message) => sum + message.length, 0);
        await this.output.write(batch.join("\n") + "\n");
        await this.output.flush();
        this.#unsent -= size;
        if (this.#full && this.#unsent <= FULL_BYTES / 4) {
          this.#full = false;
          this.#receiver?.drained();
        }
      }
      this.#sending = null;
    } catch {
      // Nobody reads any more.
      this.#close("output closed");
    }
  }

  async #readAll(): Promise<void> {
    const pieces: Uint8Array[] = [];
    let held = 0;
    for await (const bytes of this.input) {
      let start = 0;
      for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
        pieces.push(bytes.subarray(start, end));
        held += end - start;
        start = end + 1;
        await this.#deliver(pieces.splice(0), held);
        held = 0;
        if (this.#ended) return;
      }
      // Copied: the runtime may use the rest of the buffer again.
      if (start < bytes.length) pieces.push(bytes.slice(start));
      held += bytes.length - start;
      if (held > this.maxLineBytes + 1) throw new LineTooLong();
    }
    if (held > 0) await this.#deliver(pieces, held);
  }

  async #deliver(pieces: Uint8Array[], size: number): Promise<void> {
    while (this.#paused !== null) await this.#paused;
    const bytes = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces, size);
    // A carriage return belongs to the end of the line, not to the line.
    const length = bytes.at(-1) === CARRIAGE_RETURN ? size - 1 : size;
    if (length > this.maxLineBytes) throw new LineTooLong();
    // Fatal: a line that is not text ends the conversation, as a broken frame does.
    const line = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
      .replace(/^[ \t\r]+|[ \t\r]+$/g, "");
    if (line === "" || this.#ended) return;
    this.#receiver?.heard();
    this.#receiver?.message(line);
  }

  /** The other side says no more; what it asked may still be answered, until `end`. */
  #inputEnded(): void {
    if (this.#told) return;
    this.#told = true;
    this.#receiver?.ended("end of input");
  }

  #close(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#told) return;
    this.#told = true;
    this.#receiver?.ended(reason);
  }
}

class LineTooLong extends Error {
  override readonly message = "line too long";
}

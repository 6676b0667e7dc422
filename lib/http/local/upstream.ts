import type { Socket } from "node:net";

/** Above this much that nobody has taken, the other side is held back. */
const MAX_UNTAKEN_BYTES = 256 * 1024;

/**
 * The bytes to and from a web server or a proxy, over a connection that is there. Reading is pulled: what is not
 * taken is not read from far ahead. (The runtime reads another half MiB into a buffer of its own.)
 */
export class Upstream {
  #untaken: Uint8Array[] = [];
  #bytes = 0;
  #ended = false;
  #failure: Error | null = null;
  #wake: (() => void) | null = null;
  #isSilent = true;

  constructor(private readonly socket: Socket) {
    socket.on("data", this.#received);
    socket.on("end", this.#over);
    socket.on("close", this.#over);
    socket.on("error", this.#failed);
  }

  /** Whether nothing has come since it was there, or was last put to use. */
  get isSilent(): boolean {
    return this.#isSilent;
  }

  /** Whether nothing is on its way, in neither direction, as far as can be seen from here. */
  get isQuiet(): boolean {
    const isOpen = !this.#ended && this.#failure === null && this.socket.writable;
    return isOpen && this.#bytes === 0 && this.socket.writableLength === 0;
  }

  /** All that has come, at least one byte; null at the end. Rejects when the connection broke, or was ended. */
  async take(): Promise<Uint8Array | null> {
    while (this.#bytes === 0) {
      // What came before a failure is worth more than the failure: servers answer and hang up on long uploads.
      if (this.#failure !== null) throw this.#failure;
      if (this.#ended) return null;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return this.takeNow();
  }

  /** All that has come; nothing where nothing has. */
  takeNow(): Uint8Array {
    const bytes = this.#untaken.length === 1 ? this.#untaken[0]! : Buffer.concat(this.#untaken);
    this.#untaken = [];
    this.#bytes = 0;
    this.socket.resume();
    return bytes;
  }

  /** Nobody uses it, and the program does not wait for it. Tells once when something comes all the same, or its end. */
  rest(onStir: () => void): void {
    this.#wake = onStir;
    this.socket.unref();
  }

  /** Ends the rest. */
  use(): void {
    this.#wake = null;
    this.#isSilent = true;
    this.socket.ref();
  }

  /** Gives back what was taken too much. */
  putBack(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#untaken.unshift(bytes);
    this.#bytes += bytes.length;
  }

  /** Sends it in the background; a failure shows when taking. */
  write(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Ends the connection at once. Who waits for bytes is told the reason. */
  end(reason: Error): void {
    this.#failure ??= reason;
    this.#untaken = [];
    this.#bytes = 0;
    this.socket.destroy();
    this.#notify();
  }

  /** Hands the connection over to something that reads it by itself. Nothing may be untaken. */
  release(): Socket {
    this.socket.off("data", this.#received);
    this.socket.off("end", this.#over);
    this.socket.off("close", this.#over);
    this.socket.off("error", this.#failed);
    return this.socket;
  }

  readonly #received = (bytes: Uint8Array) => {
    if (this.#failure !== null) return;
    this.#isSilent = false;
    this.#untaken.push(bytes);
    this.#bytes += bytes.length;
    if (this.#bytes >= MAX_UNTAKEN_BYTES) this.socket.pause();
    this.#notify();
  };

  readonly #over = () => {
    this.#ended = true;
    this.#notify();
  };

  readonly #failed = (error: Error) => {
    this.#failure ??= error;
    this.#notify();
  };

  #notify(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}

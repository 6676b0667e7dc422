import { connect, createServer, type Socket } from "node:net";

/** A TCP line to a server that can be cut and mended while both ends live. */
export class SeverableLine implements AsyncDisposable {
  readonly url: string;
  /** Connections that were carried through to the server, cut ones included. */
  carried = 0;
  /** Connections that came while the line was cut. */
  refused = 0;
  /** Bytes that came from the server. */
  received = 0;

  #ends = new Set<Socket>();
  #isCut = false;
  #stop: () => Promise<void>;

  private constructor(port: number, stop: () => Promise<void>) {
    this.url = `ws://127.0.0.1:${port}`;
    this.#stop = stop;
  }

  static async to(serverUrl: string): Promise<SeverableLine> {
    const { hostname, port } = new URL(serverUrl);
    const listener = createServer();
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    const address = listener.address();
    if (address === null || typeof address === "string") throw new Error("The line has no port");
    const stop = () => new Promise<void>((resolve) => listener.close(() => resolve()));
    const line = new SeverableLine(address.port, stop);
    listener.on("connection", (near) => line.#carry(near, connect(Number(port), hostname)));
    return line;
  }

  /** Both ends of every connection are gone at once, and new ones die unheard until `mend`. */
  cut(): void {
    this.#isCut = true;
    for (const end of this.#ends) end.destroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  #carry(near: Socket, far: Socket): void {
    for (const [end, other] of [[near, far], [far, near]] as const) {
      this.#ends.add(end);
      end.setNoDelay(true);
      // A destroyed end says why; `close` follows and is what counts.
      end.on("error", () => other.destroy());
      end.on("close", () => {
        this.#ends.delete(end);
        other.destroy();
      });
    }
    if (this.#isCut) {
      this.refused += 1;
      near.destroy();
      return;
    }
    this.carried += 1;
    far.on("data", (bytes: Uint8Array) => this.received += bytes.length);
    near.pipe(far);
    far.pipe(near);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await this.#stop();
  }
}

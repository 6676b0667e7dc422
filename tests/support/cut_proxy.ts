import { connect, createServer, type Socket } from "node:net";

interface Line {
  readonly near: Socket;
  readonly far: Socket;
  /** The client's end is gone and the server is not to know. */
  isHalfOpen: boolean;
}

/** A TCP line to a server that fails in all the ways that lines fail, on demand. */
export class CutProxy implements AsyncDisposable {
  readonly url: string;
  /** Bytes that were carried so far, to the server and from it. */
  readonly carried = { toServer: 0, fromServer: 0 };
  cuts = 0;
  /** False lets new connections die unheard. */
  isOpen = true;
  /** Called after every piece that was carried. */
  onCarried: () => void = () => {};
  #delayMs = 0;
  readonly #lines = new Set<Line>();

  private constructor(port: number, private target: URL, private readonly stop: () => Promise<void>) {
    this.url = `ws://127.0.0.1:${port}`;
  }

  static async to(serverUrl: string): Promise<CutProxy> {
    const listener = createServer();
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    const address = listener.address();
    if (address === null || typeof address === "string") throw new Error("The proxy has no port");
    const stop = () => new Promise<void>((resolve) => listener.close(() => resolve()));
    const proxy = new CutProxy(address.port, new URL(serverUrl), stop);
    listener.on("connection", (near) => proxy.#carry(near));
    return proxy;
  }

  /** New connections go to another server from now on. */
  leadTo(serverUrl: string): void {
    this.target = new URL(serverUrl);
  }

  /** Both ends of every connection are gone at once. */
  cut(): void {
    this.cuts += 1;
    for (const { near, far } of this.#lines) {
      near.destroy();
      far.destroy();
    }
  }

  /** The client's ends are gone; the server hears nothing of it. */
  cutNearEnds(): void {
    this.cuts += 1;
    for (const line of this.#lines) {
      line.isHalfOpen = true;
      line.near.destroy();
    }
  }

  /** The connections there are now carry nothing any more, and stay open. New ones work. */
  stall(): void {
    for (const { near, far } of this.#lines) {
      near.pause();
      far.pause();
    }
  }

  /** Everything takes so much longer from now on, each way. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  #carry(near: Socket): void {
    if (!this.isOpen) {
      near.destroy();
      return;
    }
    const far = connect(Number(this.target.port), this.target.hostname);
    const line: Line = { near, far, isHalfOpen: false };
    this.#lines.add(line);
    near.setNoDelay(true);
    far.setNoDelay(true);
    // A destroyed end says why; `close` follows and is what counts.
    near.on("error", () => {});
    far.on("error", () => {});
    far.on("close", () => {
      near.destroy();
      this.#lines.delete(line);
    });
    for (const ending of ["end", "close"]) {
      near.on(ending, () => {
        if (!line.isHalfOpen) far.destroy();
      });
    }
    this.#pass(near, far, "toServer");
    this.#pass(far, near, "fromServer");
  }

  /** Passes on what comes, never ahead of the reader. What comes for nobody is swallowed. */
  #pass(from: Socket, to: Socket, way: keyof CutProxy["carried"]): void {
    from.on("data", (bytes: Uint8Array) => {
      this.carried[way] += bytes.length;
      const pass = () => {
        if (to.destroyed) return;
        if (!to.write(bytes)) {
          from.pause();
          to.once("drain", () => from.resume());
        }
      };
      if (this.#delayMs > 0) setTimeout(pass, this.#delayMs);
      else pass();
      this.onCarried();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isOpen = false;
    this.cut();
    await this.stop();
  }
}

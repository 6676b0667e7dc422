import { connect, createServer, type Server, type Socket } from "node:net";

/**
 * A TCP line between peers and a server that can fall silent without either end being told, as when a cable is pulled,
 * and that can be narrow.
 */
export class SilentLine implements AsyncDisposable {
  readonly url: string;
  /** Bytes that came from the server and were passed on. */
  passed = 0;
  /** Bytes for the server that it has not taken. */
  untaken = 0;
  /** Connections that the server has ended. */
  endedByServer = 0;

  /** What may still be read from the server; a peer that stops reading stops the line from reading. */
  #allowance = Infinity;
  #isMute = false;
  #kept: (() => void)[] = [];
  readonly #ends = new Set<Socket>();
  readonly #fromServer = new Set<Socket>();

  private constructor(private readonly listener: Server, port: number) {
    this.url = `ws://127.0.0.1:${port}`;
  }

  static async to(serverUrl: string): Promise<SilentLine> {
    const { hostname, port } = new URL(serverUrl);
    const listener = createServer();
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    const address = listener.address();
    if (address === null || typeof address === "string") throw new Error("The line has no port");
    const line = new SilentLine(listener, address.port);
    listener.on("connection", (near) => line.#carry(near, connect(Number(port), hostname)));
    return line;
  }

  /** What the peers say stays here from now on; the server's words still arrive, so that only signs of life are missing. */
  mute(): void {
    this.#isMute = true;
  }

  /** Nothing from the server is read any more, so that its buffers fill. */
  stall(): void {
    this.#allowance = 0;
    for (const far of this.#fromServer) far.pause();
  }

  /** Reads about this much from the server, and then no more. */
  letThrough(bytes: number): void {
    this.#allowance = bytes;
    for (const far of this.#fromServer) far.resume();
  }

  /** As if nothing had been: what was kept back goes on. */
  restore(): void {
    this.#isMute = false;
    for (const pass of this.#kept.splice(0)) pass();
    this.letThrough(Infinity);
  }

  #carry(near: Socket, far: Socket): void {
    for (const [end, other] of [[near, far], [far, near]] as const) {
      this.#ends.add(end);
      end.setNoDelay(true);
      // A destroyed end says why; `close` follows and is what counts.
      end.on("error", () => {});
      end.on("close", () => {
        this.#ends.delete(end);
        other.destroy();
      });
    }
    this.#fromServer.add(far);
    far.on("close", () => {
      this.#fromServer.delete(far);
      this.endedByServer += 1;
    });
    near.on("data", (bytes: Uint8Array) => {
      this.untaken += bytes.length;
      const pass = () => void far.write(bytes, () => void (this.untaken -= bytes.length));
      if (this.#isMute) this.#kept.push(pass);
      else pass();
    });
    far.on("data", (bytes: Uint8Array) => {
      this.passed += bytes.length;
      this.#allowance -= bytes.length;
      near.write(bytes);
      if (this.#allowance <= 0) far.pause();
    });
    if (this.#allowance <= 0) far.pause();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#ends) end.destroy();
    await new Promise<void>((resolve) => this.listener.close(() => resolve()));
  }
}

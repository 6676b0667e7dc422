import { connect, type Socket } from "node:net";
import { within } from "../support/peer_deadline.ts";
import type { Message } from "../support/peer_conversation.ts";
import { decodeFrame, encodeFrame, OPCODE, type OutgoingFrame } from "../support/raw_frame.ts";
import { parseHead, requestText, UPGRADE } from "../support/raw_http.ts";

/** An upgraded connection on which any bytes may be sent, and which need not read. It answers nothing by itself. */
export class BareSocket implements AsyncDisposable {
  readonly messages: Message[] = [];
  pongs = 0;
  isEnded = false;
  readonly ended: Promise<void>;

  #unread: Buffer = Buffer.alloc(0);
  #isUpgraded = false;
  readonly #look = new Set<() => void>();

  private constructor(private readonly socket: Socket) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    const end = () => {
      this.isEnded = true;
      for (const look of [...this.#look]) look();
      resolve();
    };
    socket.setNoDelay(true);
    socket.on("data", (data: Buffer) => this.#receive(data));
    socket.on("end", end);
    socket.on("close", end);
    // A reset is one of the ways to be dropped; "close" follows.
    socket.on("error", () => {});
  }

  static async open(url: string): Promise<BareSocket> {
    const { hostname, port } = new URL(url);
    const bare = new BareSocket(connect({ host: hostname, port: Number(port) }));
    bare.write(Buffer.from(requestText(url, { headers: UPGRADE }), "latin1"));
    await bare.until(() => bare.#isUpgraded, "the answer to an upgrade");
    return bare;
  }

  /** As `open`, with the handshake of the protocol done. */
  static async ready(url: string): Promise<BareSocket> {
    const bare = await BareSocket.open(url);
    bare.write(framed({ id: "hello", method: "initialize", params: { clientName: "bare" } }));
    await bare.until(() => bare.messages.some(({ id }) => id === "hello"), "the handshake");
    bare.write(framed({ method: "initialized" }));
    return bare;
  }

  /** Sends exactly these bytes. Resolves when the system has taken them, or the connection is gone. */
  write(bytes: Uint8Array): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.socket.write(bytes, () => resolve());
    return Promise.race([promise, this.ended]);
  }

  /** Reads no more, as a peer that hangs. */
  stopReading(): void {
    this.socket.pause();
  }

  readOn(): void {
    this.socket.resume();
  }

  async until(holds: () => boolean, what: string): Promise<void> {
    const reached = Promise.withResolvers<void>();
    const look = () => {
      if (holds()) reached.resolve();
      else if (this.isEnded) reached.reject(new Error(`The connection ended before ${what}`));
    };
    this.#look.add(look);
    look();
    try {
      await within(reached.promise, what);
    } finally {
      this.#look.delete(look);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
    return Promise.resolve();
  }

  #receive(data: Buffer): void {
    this.#unread = this.#unread.length === 0 ? data : Buffer.concat([this.#unread, data]);
    if (!this.#isUpgraded) {
      const head = parseHead(this.#unread);
      if (head === undefined) return;
      if (head.answer.status !== 101) throw new Error(`The upgrade was answered ${head.answer.status}`);
      this.#isUpgraded = true;
      this.#unread = head.rest;
    }
    for (let next = decodeFrame(this.#unread); next !== undefined; next = decodeFrame(this.#unread)) {
      if (next.frame.opcode === OPCODE.text) this.messages.push(JSON.parse(next.frame.payload.toString()));
      if (next.frame.opcode === OPCODE.pong) this.pongs += 1;
      this.#unread = next.rest;
    }
    for (const look of [...this.#look]) look();
  }
}

/** One frame as bytes. */
export function frameBytes(frame: OutgoingFrame): Buffer {
  return Buffer.concat(encodeFrame(frame));
}

/** One message in one text frame. */
export function framed(message: object | string): Buffer {
  const payload = typeof message === "string" ? message : JSON.stringify(message);
  return frameBytes({ opcode: OPCODE.text, payload });
}

import { connect, type Socket } from "node:net";
import type { Message } from "./peer_conversation.ts";
import { within } from "./peer_deadline.ts";
import { decodeFrame, encodeFrame, type Frame, OPCODE, type OutgoingFrame } from "./raw_frame.ts";
import { parseHead, type RawAnswer, requestText, UPGRADE } from "./raw_http.ts";

/** A WebSocket client of bare TCP that sends any frame whatever, answers nothing by itself and sees every frame. */
export class RawSocket implements AsyncDisposable {
  readonly frames: Frame[] = [];
  /** Resolves when the server ended the connection, in whatever way. */
  readonly ended: Promise<void>;
  /** The server's answer to the upgrade. */
  answer: RawAnswer | undefined;

  #isEnded = false;
  #unread: Buffer = Buffer.alloc(0);
  readonly #socket: Socket;
  readonly #listeners = new Set<() => void>();

  private constructor(socket: Socket) {
    this.#socket = socket;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    const end = () => {
      this.#isEnded = true;
      this.#look();
      resolve();
    };
    socket.on("data", (data: Buffer) => this.#receive(data));
    socket.on("end", end);
    socket.on("close", end);
    // A reset is one of the ways a server may drop a peer that breaks the rules; "close" follows.
    socket.on("error", () => {});
  }

  /** Connects and upgrades; fails on any answer but 101. */
  static async open(url: string, headers: Record<string, string> = {}): Promise<RawSocket> {
    const { hostname, port } = new URL(url);
    const raw = new RawSocket(connect({ host: hostname, port: Number(port) }));
    raw.#socket.setNoDelay(true);
    raw.#socket.write(requestText(url, { headers: { ...UPGRADE, ...headers } }), "latin1");
    await raw.#until(() => raw.answer !== undefined, "the answer to an upgrade");
    if (raw.answer?.status !== 101) throw new Error(`The upgrade was answered ${raw.answer?.status}`);
    return raw;
  }

  /** As `open`, with the handshake of the protocol done. */
  static async ready(url: string): Promise<RawSocket> {
    const raw = await RawSocket.open(url);
    raw.sendText({ id: "initialize", method: "initialize", params: { clientName: "raw" } });
    await raw.answerTo("initialize");
    raw.sendText({ method: "initialized" });
    return raw;
  }

  sendFrame(frame: OutgoingFrame): void {
    const [header, payload] = encodeFrame(frame);
    this.#socket.write(header);
    if (payload.length > 0) this.#socket.write(payload);
  }

  sendText(message: object): void {
    this.sendFrame({ opcode: OPCODE.text, payload: JSON.stringify(message) });
  }

  /** The first recorded or coming frame that fits, looking from index `from` on. */
  async waitForFrame(fits: (frame: Frame) => boolean, what: string, from = 0): Promise<Frame> {
    let found: Frame | undefined;
    await this.#until(() => (found = this.frames.slice(from).find(fits)) !== undefined, what);
    return found as Frame;
  }

  /** The response with this id, from a text frame. */
  async answerTo(id: string | number): Promise<Message> {
    const isAnswer = (frame: Frame) => frame.opcode === OPCODE.text && messageOf(frame).id === id;
    return messageOf(await this.waitForFrame(isAnswer, `the answer to ${id}`));
  }

  /** Fails unless the server ends the connection soon. */
  async mustEnd(why: string): Promise<void> {
    await within(this.ended, `the end of the connection after ${why}`);
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    return Promise.resolve();
  }

  #receive(data: Buffer): void {
    this.#unread = this.#unread.length === 0 ? data : Buffer.concat([this.#unread, data]);
    if (this.answer === undefined) {
      const head = parseHead(this.#unread);
      if (head === undefined) return;
      this.answer = head.answer;
      this.#unread = Buffer.from(head.rest);
    }
    for (let next = decodeFrame(this.#unread); next !== undefined; next = decodeFrame(this.#unread)) {
      this.frames.push(next.frame);
      this.#unread = next.rest;
    }
    this.#look();
  }

  #look(): void {
    for (const look of [...this.#listeners]) look();
  }

  async #until(holds: () => boolean, what: string): Promise<void> {
    const reached = Promise.withResolvers<void>();
    const look = () => {
      if (holds()) reached.resolve();
      else if (this.#isEnded) reached.reject(new Error(`The connection ended before ${what}`));
    };
    this.#listeners.add(look);
    look();
    try {
      await within(reached.promise, what);
    } finally {
      this.#listeners.delete(look);
    }
  }
}

export function messageOf(frame: Frame): Message {
  return JSON.parse(frame.payload.toString("utf8"));
}

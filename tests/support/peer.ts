import { Conversation } from "./peer_conversation.ts";
import { within } from "./peer_deadline.ts";
import {
  bytesOf,
  type Chunk,
  chunksOf,
  eventsOf,
  isComplete,
  type Outcome,
  outcomeOf,
} from "./peer_outcome.ts";

export type StartParams = {
  argv: string[];
  processId?: string;
  cwd?: string;
  env?: Record<string, string>;
  tty?: boolean;
  pipeStdin?: boolean;
  arg0?: string | null;
  envPolicy?: unknown;
};

export type ReadParams = { afterSeq?: number | null; maxBytes?: number | null; waitMs?: number | null };

export type ReadResult = {
  chunks: Chunk[];
  nextSeq: number;
  exited: boolean;
  exitCode: number | null;
  closed: boolean;
  failure: null;
  sandboxDenied: boolean;
};

export type InitializeResult = { sessionId: string; environmentInfo?: unknown };

/** What every child of these tests gets to find its programs. */
export const CHILD_ENV = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" };

/** A small client that does only what it is told: no reconnecting, no reordering, no answering by itself. */
export class Peer extends Conversation implements AsyncDisposable {
  // Of all peers, because two of them may share a session one after the other.
  static #started = 0;
  readonly #hangUp: () => void;

  constructor(sendText: (text: string) => void, hangUp: () => void) {
    super(sendText);
    this.#hangUp = hangUp;
  }

  /** A peer over a WebSocket whose upgrade was answered. */
  static async connect(url: string, headers: Record<string, string> = {}): Promise<Peer> {
    const socket = new WebSocket(url, { headers });
    const peer = new Peer((text) => socket.send(text), () => socket.terminate());
    const opened = Promise.withResolvers<void>();
    socket.onopen = () => opened.resolve();
    socket.onerror = (event) =>
      opened.reject(new Error(`Cannot connect to ${url}: ${(event as ErrorEvent).message}`));
    socket.onclose = (event) => peer.end(`WebSocket closed with ${event.code}`);
    socket.onmessage = (event) => {
      if (typeof event.data !== "string") throw new Error("The server sent a binary frame");
      peer.receive(event.data);
    };
    await within(opened.promise, `the upgrade of ${url}`);
    return peer;
  }

  /** A peer that is connected and through the handshake, with a session of its own. */
  static async ready(url: string, headers: Record<string, string> = {}): Promise<Peer> {
    const peer = await Peer.connect(url, headers);
    await peer.initialize();
    return peer;
  }

  /** `initialize` and `initialized`; with an id, to take up that session. */
  async initialize(resumeSessionId?: string): Promise<InitializeResult> {
    const result = await this.call<InitializeResult>("initialize", {
      clientName: "conformance",
      ...(resumeSessionId === undefined ? {} : { resumeSessionId }),
    });
    this.notify("initialized", {});
    return result;
  }

  /** Starts a process and answers its id. */
  async start(params: StartParams): Promise<string> {
    const request = this.startParams(params);
    await this.call("process/start", request);
    return request.processId;
  }

  startParams(params: StartParams): StartParams & { processId: string } {
    return { processId: `p${++Peer.#started}`, cwd: "file:///tmp", env: CHILD_ENV, tty: false, ...params };
  }

  /** Starts a `/bin/sh -c` script and answers its id. */
  shell(script: string, params: Partial<StartParams> = {}): Promise<string> {
    return this.start({ argv: ["/bin/sh", "-c", script], ...params });
  }

  /** Starts a command and waits for all it did. */
  async run(params: StartParams): Promise<Outcome> {
    return await this.outcome(await this.start(params));
  }

  read(processId: string, params: ReadParams = {}): Promise<ReadResult> {
    return this.call<ReadResult>("process/read", { processId, ...params });
  }

  async write(processId: string, text: string, writeId: string): Promise<string> {
    const chunk = Buffer.from(text).toString("base64");
    return (await this.call<{ status: string }>("process/write", { processId, chunk, writeId })).status;
  }

  signal(processId: string): Promise<unknown> {
    return this.call("process/signal", { processId, signal: "interrupt" });
  }

  async terminate(processId: string): Promise<boolean> {
    return (await this.call<{ running: boolean }>("process/terminate", { processId })).running;
  }

  /** Waits for `closed` and every event before it, in whatever order they come. */
  async outcome(processId: string): Promise<Outcome> {
    const end = `the end of process ${processId}`;
    await this.waitFor(
      ({ method, params }) => method === "process/closed" && params?.processId === processId,
      end,
    );
    await this.waitUntil(() => isComplete(eventsOf(this.messages, processId)), end);
    return outcomeOf(eventsOf(this.messages, processId));
  }

  async exited(processId: string): Promise<{ exitCode: number; seq: number; sandboxDenied: boolean }> {
    const message = await this.waitFor(
      ({ method, params }) => method === "process/exited" && params?.processId === processId,
      `the exit of process ${processId}`,
    );
    return message.params as { exitCode: number; seq: number; sandboxDenied: boolean };
  }

  /** The chunks notified so far, of all streams, in seq order. */
  chunks(processId: string): Chunk[] {
    return chunksOf(eventsOf(this.messages, processId));
  }

  /** The text notified so far. */
  output(processId: string): string {
    return bytesOf(this.chunks(processId)).toString("utf8");
  }

  /** Waits until the output so far contains `text`. */
  async outputWith(processId: string, text: string): Promise<string> {
    await this.waitUntil(
      () => this.output(processId).includes(text),
      `${JSON.stringify(text)} from ${processId}`,
    );
    return this.output(processId);
  }

  /** Ends the connection as a crash would: no Close frame. */
  async hangUp(): Promise<void> {
    this.#hangUp();
    await within(this.closed, "the end of our own connection");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.isClosed) await this.hangUp();
  }
}

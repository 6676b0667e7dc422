import { ClientError } from "../../lib/client/client_error.ts";
import type { Dial } from "../../lib/client/open_session.ts";
import type { Receiver } from "../../lib/rpc/transport.ts";
import { type MemoryEnd, memoryPair } from "../../lib/transport/memory_pair.ts";
import { within } from "./peer_deadline.ts";

export interface ScriptedRequest {
  readonly id: number;
  readonly method: string;
  readonly params: Record<string, unknown>;
}

/** What an initialize is answered with: a result, a refusal, or nothing at all. */
export type InitializeAnswer = { readonly result: object } | {
  readonly error: { code: number; message: string };
} | null;

const SESSION = "0b1c7c1e-5b0a-4c7e-9c57-2f1d8a7f4e10";
const INFO = { shell: { name: "sh", path: "/bin/sh" }, cwd: null };

/** A server that answers `initialize` by itself and leaves all else to the test. */
export class ScriptedServer {
  readonly sessionId = SESSION;
  readonly connections: ScriptedConnection[] = [];
  /** Attempts to connect, refused ones included. */
  dialled = 0;
  /** False refuses new connections. */
  isReachable = true;
  answerInitialize: (params: Record<string, unknown>) => InitializeAnswer = () => ({
    result: { sessionId: SESSION, environmentInfo: INFO },
  });
  readonly #waiters: { count: number; resolve(connection: ScriptedConnection): void }[] = [];

  readonly dial: Dial = (givenUp) => {
    this.dialled += 1;
    if (givenUp.aborted) return Promise.reject(new ClientError("connect", "given up"));
    if (!this.isReachable) return Promise.reject(new ClientError("connect", "nobody listens"));
    const [near, far] = memoryPair();
    this.connections.push(new ScriptedConnection(far, (params) => this.answerInitialize(params)));
    for (const waiter of this.#waiters) {
      if (waiter.count <= this.connections.length) waiter.resolve(this.connections[waiter.count - 1]!);
    }
    return Promise.resolve(near);
  };

  /** The connection of that number, from 1, once it is there. */
  connection(count: number): Promise<ScriptedConnection> {
    const there = this.connections[count - 1];
    if (there !== undefined) return Promise.resolve(there);
    const coming = Promise.withResolvers<ScriptedConnection>();
    this.#waiters.push({ count, resolve: coming.resolve });
    return within(coming.promise, `connection ${count}`);
  }
}

/** One connection to it. Everything that was asked is kept, in order. */
export class ScriptedConnection implements Receiver {
  readonly requests: ScriptedRequest[] = [];
  readonly notifications: { method: string; params: unknown }[] = [];
  /** Answers to what the server asked, by whatever they say. */
  readonly answers: Record<string, unknown>[] = [];
  isOver = false;
  readonly whenOver: Promise<void>;
  #tellOver!: () => void;
  readonly #taken = new Set<ScriptedRequest>();
  #wake: (() => void)[] = [];

  constructor(
    private readonly transport: MemoryEnd,
    private readonly answerInitialize: ScriptedServer["answerInitialize"],
  ) {
    this.whenOver = new Promise((resolve) => (this.#tellOver = resolve));
    transport.receive(this);
  }

  /** The next request of this method that no one took yet, once it is there. */
  async request(method: string): Promise<ScriptedRequest> {
    const find = () =>
      this.requests.find((request) => request.method === method && !this.#taken.has(request));
    const wait = async () => {
      for (let found = find();; found = find()) {
        if (found !== undefined) return found;
        await new Promise<void>((resolve) => this.#wake.push(resolve));
      }
    };
    const found = await within(wait(), `a request ${method}`);
    this.#taken.add(found);
    return found;
  }

  count(method: string): number {
    return this.requests.filter((request) => request.method === method).length;
  }

  answer(request: ScriptedRequest, result: unknown): void {
    this.transport.send(JSON.stringify({ id: request.id, result }));
  }

  refuse(request: ScriptedRequest, code: number, message: string): void {
    this.transport.send(JSON.stringify({ id: request.id, error: { code, message } }));
  }

  send(message: object | string): void {
    this.transport.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  output(processId: string, seq: number, text: string | Uint8Array, stream = "stdout"): void {
    const chunk = Buffer.from(text).toString("base64");
    this.send({ method: "process/output", params: { processId, seq, stream, chunk } });
  }

  exited(processId: string, seq: number, exitCode: number, rest: object = { sandboxDenied: false }): void {
    this.send({ method: "process/exited", params: { processId, seq, exitCode, ...rest } });
  }

  closed(processId: string, seq: number): void {
    this.send({ method: "process/closed", params: { processId, seq } });
  }

  cut(): void {
    this.transport.end();
  }

  /** Reads nothing and says nothing any more, like the far end of a cut cable. */
  freeze(): void {
    this.transport.pause();
  }

  message(data: string | Uint8Array): void {
    const message: Record<string, unknown> = JSON.parse(String(data));
    const { id, method, params } = message;
    if (typeof method !== "string") this.answers.push(message);
    else if (typeof id !== "number") this.notifications.push({ method, params });
    else this.#asked({ id, method, params: Object(params) });
    for (const wake of this.#wake.splice(0)) wake();
  }

  heard(): void {}

  drained(): void {}

  ended(): void {
    this.isOver = true;
    this.#tellOver();
  }

  #asked(request: ScriptedRequest): void {
    this.requests.push(request);
    if (request.method !== "initialize") return;
    const answer = this.answerInitialize(request.params);
    if (answer !== null) this.send({ id: request.id, ...answer });
  }
}

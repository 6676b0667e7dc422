import { within } from "./peer_deadline.ts";

export type WireErrorBody = { code: number; message: string; data?: unknown };

export type Message = {
  id?: string | number;
  method?: string;
  params?: Record<string, unknown>;
  result?: unknown;
  error?: WireErrorBody;
};

type Call = {
  method: string;
  answered: Promise<unknown>;
  resolve(result: unknown): void;
  reject(error: Error): void;
};

/** Longer than any wait a test asks the server for. */
const CALL_DEADLINE_MS = 30_000;

/** A call the server refused. */
export class RefusedCall extends Error {
  constructor(method: string, readonly body: WireErrorBody) {
    super(`${method} was refused: ${body.code} ${body.message}`);
  }
}

/** The error body of a call that must be refused. An answer instead is a failure. */
export async function refusal(call: Promise<unknown>): Promise<WireErrorBody> {
  try {
    const answer = await call;
    throw new Error(`Expected a refusal, got ${JSON.stringify(answer)}`);
  } catch (error) {
    if (error instanceof RefusedCall) return error.body;
    throw error;
  }
}

/** What one peer said and was told: every message in its order of arrival, and who still waits for one. */
export class Conversation {
  readonly messages: Message[] = [];
  /** Resolves with the reason once nothing more can arrive. */
  readonly closed: Promise<string>;

  #lastId = 0;
  #end: string | undefined;
  readonly #settleClosed: (reason: string) => void;
  readonly #sendText: (text: string) => void;
  readonly #calls = new Map<string | number, Call>();
  readonly #listeners = new Set<() => void>();

  constructor(sendText: (text: string) => void) {
    this.#sendText = sendText;
    const { promise, resolve } = Promise.withResolvers<string>();
    this.closed = promise;
    this.#settleClosed = resolve;
  }

  get isClosed(): boolean {
    return this.#end !== undefined;
  }

  /** Sends exactly this text as one message. */
  send(text: string): void {
    this.#sendText(text);
  }

  notify(method: string, params?: unknown): void {
    this.send(JSON.stringify({ method, params }));
  }

  call<Result = unknown>(method: string, params?: unknown): Promise<Result> {
    const id = ++this.#lastId;
    return this.ask<Result>(id, method, { id, method, params });
  }

  /** As `call`, for a request written by the test itself; `id` is the one it carries. */
  ask<Result = unknown>(id: string | number, method: string, request: object | string): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const answered = within(promise as Promise<Result>, `the answer to ${method}`, CALL_DEADLINE_MS);
    this.#calls.set(id, { method, answered, resolve, reject });
    this.send(typeof request === "string" ? request : JSON.stringify(request));
    return answered;
  }

  /** The first recorded or coming message that fits, looking from index `from` on. */
  async waitFor(fits: (message: Message) => boolean, what: string, from = 0): Promise<Message> {
    let next = from;
    const found = Promise.withResolvers<Message>();
    const look = () => {
      for (; next < this.messages.length; next++) {
        if (fits(this.messages[next])) return found.resolve(this.messages[next]);
      }
      if (this.#end !== undefined) found.reject(new Error(`Closed (${this.#end}) before ${what}`));
    };
    this.#listeners.add(look);
    look();
    try {
      return await within(found.promise, what);
    } catch (error) {
      const last = this.messages.slice(-5).map((message) => JSON.stringify(message).slice(0, 200)).join(
        "\n  ",
      );
      throw new Error(`${(error as Error).message}. Last messages:\n  ${last}`);
    } finally {
      this.#listeners.delete(look);
    }
  }

  /** Resolves once `holds`, which is looked at after every message. */
  async waitUntil(holds: () => boolean, what: string): Promise<void> {
    if (holds()) return;
    await this.waitFor(() => holds(), what, this.messages.length);
  }

  notifications(method: string, processId: string): Message[] {
    return this.messages.filter((message) =>
      message.method === method && message.params?.processId === processId
    );
  }

  receive(text: string): void {
    const message: Message = JSON.parse(text);
    this.messages.push(message);
    if (message.id !== undefined && message.method === undefined) {
      const call = this.#calls.get(message.id);
      this.#calls.delete(message.id);
      if (message.error) call?.reject(new RefusedCall(call.method, message.error));
      else call?.resolve(message.result);
    }
    for (const look of [...this.#listeners]) look();
  }

  end(reason: string): void {
    if (this.#end !== undefined) return;
    this.#end = reason;
    for (const call of this.#calls.values()) {
      // Many tests hang up on purpose while a call is open; only who awaits it shall hear of it.
      call.answered.catch(() => {});
      call.reject(new Error(`Closed (${reason}) before ${call.method} was answered`));
    }
    this.#calls.clear();
    for (const look of [...this.#listeners]) look();
    this.#settleClosed(reason);
  }
}

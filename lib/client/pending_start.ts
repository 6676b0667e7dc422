import { CallError } from "../rpc/call_error.ts";
import { readStartAnswer } from "../wire/client_messages.ts";
import { ClientError } from "./client_error.ts";
import type { OpenSession } from "./open_session.ts";

/**
 * A start that is asked for and not answered yet. With `outcome.v1` it has an id of its own: when the connection is lost
 * before the answer it is asked for again, and a server that has started it already answers for the first.
 */
export class PendingStart {
  /** Whether another asking after a loss would not start it twice. */
  mayBeRepeated = false;
  isAnswered = false;
  readonly #settled = Promise.withResolvers<void>();

  constructor(readonly processId: string, private readonly params: object) {
    this.#settled.promise.catch(() => {}); // told to whoever waits in `send`
  }

  /** Resolves once it runs, after however many connections. */
  async send(session: OpenSession): Promise<void> {
    this.mayBeRepeated = session.agreed.has("outcome.v1");
    this.#ask(session).catch((error) => {
      // What is kept for the next connection is settled there, or by whoever gives it up.
      if (!(this.mayBeRepeated && isLoss(error))) this.#settled.reject(error);
    });
    await this.#settled.promise;
  }

  /** On a new connection, in its recovery. Rejects only when that one is lost too. */
  async repeat(session: OpenSession): Promise<void> {
    try {
      await this.#ask(session);
    } catch (error) {
      if (isLoss(error)) throw error;
      this.#settled.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** Nobody asks for it any more. */
  fail(error: Error): void {
    this.#settled.reject(error);
  }

  async #ask({ link }: OpenSession): Promise<void> {
    const { processId } = readStartAnswer(await link.call("process/start", this.params));
    // Of what was not started no event would ever come.
    if (processId !== this.processId) {
      const text = `exec-server protocol error: exec-server started process ${processId}`;
      throw new ClientError("protocol", text);
    }
    this.isAnswered = true;
    this.#settled.resolve();
  }
}

function isLoss(error: unknown): boolean {
  return error instanceof CallError && error.code === "ended";
}

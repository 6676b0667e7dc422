import type { Clock, Timer } from "../base/clock.ts";
import { type Inbound, writeRequest } from "../wire/envelope.ts";
import { readWireError } from "../wire/client_messages.ts";
import { CallError } from "./call_error.ts";

/** Calls of one connection that may wait for their answers: Codex's number. */
export const PENDING_CALLS = 1_024;
/** One more for tidying up, so that a client at its limit can still let go of something. */
const CLEAN_UP_CALLS = 1;

export interface CallOptions {
  /** How long the answer may take; without it, as long as the connection lives. */
  readonly timeoutMs?: number;
  /** Lets go of something on the other side, and so may use the place kept for that. */
  readonly cleansUp?: boolean;
}

export type Answered = Extract<Inbound, { kind: "result" } | { kind: "error" }>;

interface Pending {
  readonly timer: Timer | null;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** The calls of one connection that wait for their answers, by integer id. They end one by one, or all together. */
export class Caller {
  readonly #pending = new Map<string, Pending>();
  #lastId = 0;
  #ended: CallError | null = null;

  constructor(
    private readonly send: (message: string) => void,
    private readonly clock: Clock,
    /** Called when there is no place left even for tidying up: only an end of the connection does that now. */
    private readonly onOverflow: () => void,
  ) {}

  get pending(): number {
    return this.#pending.size;
  }

  /** Sends before it returns. Rejects with what the peer refused (WireError), or with a CallError. */
  call(method: string, params: unknown, options: CallOptions = {}): Promise<unknown> {
    if (this.#ended !== null) return Promise.reject(this.#ended);
    if (this.#pending.size >= PENDING_CALLS + (options.cleansUp ? CLEAN_UP_CALLS : 0)) {
      if (options.cleansUp) this.onOverflow();
      const text = `exec-server has reached its limit of ${PENDING_CALLS} pending requests`;
      return Promise.reject(new CallError("limit", text));
    }
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const timer = this.#deadline(String(id), method, options.timeoutMs);
      this.#pending.set(String(id), { timer, resolve, reject });
      this.send(writeRequest(id, method, params));
    });
  }

  /** An answer came. One that nobody waits for (any more) changes nothing. */
  answered(answer: Answered): void {
    const pending = this.#take(answer.id);
    if (pending === null) return;
    if (answer.kind === "result") pending.resolve(answer.result);
    else {
      const refusal = readWireError(answer.error);
      pending.reject(refusal ?? new CallError("malformed", "an error answer has no code or no message"));
    }
  }

  /** The connection is over: every call that waits fails with this reason, and so does every later one. */
  end(reason: string): void {
    if (this.#ended !== null) return;
    this.#ended = new CallError("ended", reason);
    for (const id of [...this.#pending.keys()]) this.#take(id)?.reject(this.#ended);
  }

  #take(id: string): Pending | null {
    const pending = this.#pending.get(id);
    if (pending === undefined) return null;
    this.#pending.delete(id);
    pending.timer?.cancel();
    return pending;
  }

  #deadline(id: string, method: string, timeoutMs: number | undefined): Timer | null {
    if (timeoutMs === undefined) return null;
    return this.clock.after(timeoutMs, () => {
      const text = `timed out waiting for exec-server \`${method}\` response after ${
        durationText(timeoutMs)
      }`;
      this.#take(id)?.reject(new CallError("deadline", text));
    });
  }
}

/** `10s`, `1.5s`, `250ms`. */
export function durationText(ms: number): string {
  return ms < 1_000 ? `${ms}ms` : `${ms / 1_000}s`;
}

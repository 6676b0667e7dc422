import type { Clock } from "../base/clock.ts";
import { durationText } from "../rpc/caller.ts";
import { ALREADY_ATTACHED } from "../wire/wire_error.ts";
import { ClientError, inClientWords } from "./client_error.ts";
import type { OpenSession } from "./open_session.ts";

/** Less than a server keeps a session: 80 s at Codex and here. */
export const ATTACH_MS = 45_000;
export const RECOVER_MS = 50_000;
export const RETRY_MS = 100;

export interface Recovery {
  /** One try to take the session up again on a fresh connection. */
  attach(givenUp: AbortSignal): Promise<OpenSession>;
  /** Asks for what was missed. Rejects when the connection is lost again. */
  replay(session: OpenSession): Promise<void>;
  onAttemptFailed(error: ClientError): void;
  readonly clock: Clock;
  readonly attachMs: number;
  readonly recoverMs: number;
  readonly retryMs: number;
  /** Nobody wants the connection any more. */
  readonly givenUp: AbortSignal;
}

/** Whether another try may end better. */
export function isRetryable(error: ClientError): boolean {
  if (error.code === "rejected") return error.rejection?.code === ALREADY_ATTACHED;
  return error.code === "connect" || error.code === "timeout" || error.code === "disconnected";
}

/** Tries until the session is taken up and caught up with. Rejects with a ClientError that says why it never will be. */
export async function recover(recovery: Recovery): Promise<OpenSession> {
  const { clock, attachMs, recoverMs, givenUp } = recovery;
  const attachEnd = new Deadline(clock, attachMs, givenUp);
  const end = new Deadline(clock, recoverMs, givenUp);
  // Between two tries nothing else may be open, and a program with nothing open ends.
  const stay = setInterval(() => {}, 1_000_000);
  try {
    while (true) {
      try {
        const session = await attachEnd.race(attach(recovery, attachEnd));
        await replayBy(end, session, recovery);
        return session;
      } catch (caught) {
        const error = inClientWords(caught);
        if (!isRetryable(error)) throw error;
        recovery.onAttemptFailed(error);
      }
      await attachEnd.race(new Promise<void>((resolve) => clock.after(recovery.retryMs, resolve)));
    }
  } finally {
    clearInterval(stay);
    attachEnd.cancel();
    end.cancel();
  }
}

/** One that comes just too late is not left open. */
function attach(recovery: Recovery, end: Deadline): Promise<OpenSession> {
  return recovery.attach(end.signal).then((session) => {
    if (end.signal.aborted) session.link.end("given up");
    return session;
  });
}

async function replayBy(end: Deadline, session: OpenSession, recovery: Recovery): Promise<void> {
  try {
    await end.race(recovery.replay(session));
  } catch (error) {
    session.link.end("given up");
    throw error;
  }
  if (session.link.isOver) throw new ClientError("disconnected", session.link.endText);
}

/** A point in time that ends every wait for something else. */
class Deadline {
  readonly #controller = new AbortController();
  readonly #passed = Promise.withResolvers<never>();
  readonly #cancel: () => void;

  constructor(clock: Clock, ms: number, givenUp: AbortSignal) {
    const pass = (error: ClientError) => {
      this.#passed.reject(error);
      this.#controller.abort();
    };
    // Not retryable, though it is about time: there is none left.
    const late = new ClientError("protocol", `recovery timed out after ${durationText(ms)}`);
    const timer = clock.after(ms, () => pass(late));
    const leave = () => pass(new ClientError("protocol", "exec-server transport closed"));
    givenUp.addEventListener("abort", leave);
    if (givenUp.aborted) leave();
    this.#cancel = () => {
      timer.cancel();
      givenUp.removeEventListener("abort", leave);
    };
    // Whoever races hears of it; when nobody does, nobody needs to.
    this.#passed.promise.catch(() => {});
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Settles as the promise does, but rejects when the time has come. */
  race<Value>(promise: Promise<Value>): Promise<Value> {
    return Promise.race([this.#passed.promise, promise]);
  }

  cancel(): void {
    this.#cancel();
  }
}

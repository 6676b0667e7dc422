import type { Clock } from "../base/clock.ts";
import type { CallOptions } from "../rpc/caller.ts";
import { type Agreed, type Extension, NOTHING_AGREED } from "../wire/extensions.ts";
import { ClientError, inClientWords } from "./client_error.ts";
import { type ClientState, type ConnectionEvent, nextState } from "./connection_state.ts";
import { type Dial, type OpenSession, openSession } from "./open_session.ts";
import { ReadingPace } from "./reading_pace.ts";
import { recover } from "./recovery.ts";
import type { ToldNews } from "./wire_events.ts";

export interface UplinkOptions {
  readonly dial: Dial;
  readonly clientName: string;
  readonly reconnects: boolean;
  readonly clock: Clock;
  readonly extensions: readonly Extension[];
  readonly initializeMs: number;
  readonly attachMs: number;
  readonly recoverMs: number;
  readonly retryMs: number;
}

/** Whoever lives on the connection and outlives its interruptions. */
export interface UplinkUser {
  news(news: ToldNews): void;
  /** The connection is gone; told before the calls on it fail. */
  lost(): void;
  /** Asks on a new connection for what was missed. Rejects only when that one is lost too. */
  replay(session: OpenSession): Promise<void>;
  /** The new connection is in use from now on. */
  resumed(session: OpenSession): void;
  /** There will be none any more. */
  failed(message: string): void;
  /** True while some reader is so far behind that the server should wait. */
  readonly isBehind: boolean;
}

/** One logical connection over many physical ones. */
export class Uplink {
  #state: ClientState = { state: "connected" };
  #session: OpenSession | null = null;
  #user!: UplinkUser;
  readonly #pace: ReadingPace;
  readonly #listeners = new Set<(state: ClientState) => void>();
  readonly #notices = new Map<string, (params: unknown) => void>();
  readonly #holds = new Set<() => boolean>();
  readonly #closed = new AbortController();
  #waiters: PromiseWithResolvers<OpenSession>[] = [];

  constructor(private readonly options: UplinkOptions) {
    this.#pace = new ReadingPace(options.clock, () => this.#isBehind);
  }

  get state(): ClientState {
    return this.#state;
  }

  /** The session on its current connection; null while there is none. */
  get session(): OpenSession | null {
    return this.#state.state === "connected" ? this.#session : null;
  }

  /** What was agreed on the current connection, or on the last. */
  get agreed(): Agreed {
    return this.#session?.agreed ?? NOTHING_AGREED;
  }

  /** Connects for the first time. Rejects with a ClientError. */
  async open(user: UplinkUser): Promise<OpenSession> {
    this.#user = user;
    const session = await this.#attach(null, this.#closed.signal);
    this.#install(session);
    return session;
  }

  onState(listener: (state: ClientState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Whose the notifications of this method are; those of a method that is nobody's are not heard. */
  onNotice(method: string, take: (params: unknown) => void): void {
    this.#notices.set(method, take);
  }

  /** The connection is not read while this is true of somebody who has no other way to slow the server down. */
  holdWhile(isBehind: () => boolean): void {
    this.#holds.add(isBehind);
  }

  /** Waits while the connection is being recovered; rejects with a ClientError once that has failed. */
  whenConnected(): Promise<OpenSession> {
    const { session } = this;
    if (session !== null) return Promise.resolve(session);
    if (this.#state.state === "failed") return Promise.reject(this.#failure(this.#state.message));
    const waiter = Promise.withResolvers<OpenSession>();
    this.#waiters.push(waiter);
    return waiter.promise;
  }

  /** Never sent twice: when the connection is lost before the answer, it fails. Rejects with a ClientError. */
  async call(method: string, params: unknown, options?: CallOptions): Promise<unknown> {
    const { link } = this.session ?? await this.whenConnected();
    try {
      return await link.call(method, params, options);
    } catch (error) {
      throw inClientWords(error);
    }
  }

  /** A reader moved. */
  adjustPace(): void {
    this.#pace.adjust();
  }

  /** Ends the connection for good; resolves when nothing of it is left. */
  async close(): Promise<void> {
    const link = this.#session?.link;
    this.#move({ type: "gave up", message: "exec-server transport closed" });
    this.#closed.abort();
    link?.end("closed by this side");
    await link?.whenOver;
  }

  get #isBehind(): boolean {
    const needsPace = this.#session !== null && !this.#session.agreed.has("flow.v1");
    return needsPace && this.#user.isBehind || [...this.#holds].some((isBehind) => isBehind());
  }

  #attach(resume: string | null, givenUp: AbortSignal): Promise<OpenSession> {
    const { dial, clientName, extensions, initializeMs, clock } = this.options;
    const listener = {
      news: (news: ToldNews) => this.#user.news(news),
      notice: (method: string, params: unknown) => this.#notices.get(method)?.(params),
      callsChanged: () => this.#pace.adjust(),
      heard: () => this.#pace.heard(),
      ended: () => this.#noticeEnd(),
    };
    return openSession({ dial, clientName, extensions, initializeMs, clock, listener, resume, givenUp });
  }

  #install(session: OpenSession): void {
    this.#session = session;
    this.#pace.follow(session.link);
    // It may have ended while we looked away.
    this.#noticeEnd();
  }

  /** A link ended. Only the current one matters: the others' users notice by themselves. */
  #noticeEnd(): void {
    const session = this.#session;
    if (session === null || !session.link.isOver || this.#state.state !== "connected") return;
    this.#pace.follow(null);
    const cause = session.link.endText;
    if (!this.options.reconnects) return this.#move({ type: "gave up", message: cause });
    this.#user.lost();
    this.#move({ type: "transport ended", cause });
    void this.#recover(session.sessionId, cause);
  }

  async #recover(sessionId: string, cause: string): Promise<void> {
    try {
      const session = await recover({
        ...this.options,
        attach: (givenUp) => this.#attach(sessionId, givenUp),
        replay: (session) => this.#user.replay(session),
        onAttemptFailed: (error) => this.#move({ type: "attempt failed", cause: error.message }),
        givenUp: this.#closed.signal,
      });
      if (this.#state.state !== "recovering") return session.link.end("given up");
      this.#session = session;
      this.#move({ type: "resumed" });
      this.#install(session);
    } catch (error) {
      const { message } = inClientWords(error);
      this.#move({ type: "gave up", message: `${cause}; failed to resume exec-server session: ${message}` });
    }
  }

  /** The only place where the state changes, and where that has its effects. */
  #move(event: ConnectionEvent): void {
    const before = this.#state;
    this.#state = nextState(before, event);
    if (this.#state === before) return;
    if (this.#state.state === "failed") {
      const { message } = this.#state;
      this.#user.failed(message);
      for (const waiter of this.#waiters.splice(0)) waiter.reject(this.#failure(message));
    } else if (this.#state.state === "connected" && this.#session !== null) {
      // Before those who waited: what was under way is older.
      this.#user.resumed(this.#session);
      for (const waiter of this.#waiters.splice(0)) waiter.resolve(this.#session);
    }
    for (const listener of this.#listeners) listener(this.#state);
  }

  #failure(message: string): ClientError {
    return new ClientError("disconnected", message);
  }
}

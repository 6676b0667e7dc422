import type { Clock } from "../base/clock.ts";
import type { ProcessHandle, Signal, TerminalSize, WriteStatus } from "../process/backend.ts";
import { EventLog, type LogPage } from "../process/event_log.ts";
import { ProcessError } from "../process/process_error.ts";
import type { ProcessEvent } from "../process/process_event.ts";
import { readLog, type ReadOptions } from "../process/read_log.ts";
import { CallError } from "../rpc/call_error.ts";
import type { CallOptions } from "../rpc/caller.ts";
import { readReadAnswer, readTerminateAnswer } from "../wire/client_messages.ts";
import type { Extension } from "../wire/extensions.ts";
import { Acknowledger } from "./acknowledger.ts";
import { CatchUpError, eventsFromRead } from "./catch_up.ts";
import { EventOrder, OrderError } from "./event_order.ts";
import type { Link } from "./link.ts";
import type { OpenSession } from "./open_session.ts";
import { RemoteInput } from "./remote_input.ts";
import { lossOf, textOf } from "./process_words.ts";
import type { Uplink } from "./uplink.ts";
import type { ToldEvent } from "./wire_events.ts";

/** What a process tells the backend that keeps it. */
export interface Keeper {
  /** Nothing more will come of it: closed, or lost. */
  over(process: RemoteProcess): void;
  /** A reader of its log fell behind, or caught up. */
  behind(process: RemoteProcess, isBehind: boolean): void;
}

/** One far process: its log is fed from the wire, and what is asked of it is sent there. */
export class RemoteProcess implements ProcessHandle {
  readonly log = new EventLog();
  readonly #order: EventOrder;
  readonly #input: RemoteInput;
  readonly #acknowledger: Acknowledger;
  #state: "starting" | "started" | "over" = "starting";
  #asking = false;

  constructor(
    readonly processId: string,
    private readonly uplink: Uplink,
    private readonly clock: Clock,
    private readonly keeper: Keeper,
    /** It goes on without us. */
    readonly isKept = false,
  ) {
    this.#order = new EventOrder((event) => this.#publish(event));
    this.#input = new RemoteInput(processId, uplink);
    this.#acknowledger = new Acknowledger(this.log, clock, () => this.#acknowledgements());
    this.log.watchTaken(() => this.#readersMoved());
  }

  get isStarting(): boolean {
    return this.#state === "starting";
  }

  /** It runs, so it can be found again after an interruption. */
  started(): void {
    if (this.#state === "starting") this.#state = "started";
  }

  read(options: ReadOptions, givenUp: AbortSignal): LogPage | Promise<LogPage> {
    return readLog(this.log, options, this.clock, givenUp);
  }

  write(bytes: Uint8Array, writeId: string): Promise<WriteStatus> {
    return this.#input.write(bytes, writeId);
  }

  async closeInput(writeId: string): Promise<WriteStatus> {
    await this.#require("stdin.v1", "end its input");
    return await this.#input.close(writeId);
  }

  async signal(signal: Signal): Promise<void> {
    if (this.log.exited !== null) return;
    if (signal !== "INT") await this.#require("signals.v1", `send it ${signal}`);
    const { processId } = this;
    // Codex has one word for the one signal it knows.
    await this.#call("process/signal", { processId, signal: signal === "INT" ? "interrupt" : signal });
  }

  async resize({ rows, cols }: TerminalSize): Promise<void> {
    if (this.log.exited !== null) return;
    await this.#require("terminal.v1", "resize its terminal");
    await this.#call("process/resize", { processId: this.processId, rows, cols });
  }

  async terminate(grace?: { readonly signal: Signal; readonly ms: number }): Promise<boolean> {
    if (this.log.closed !== null) return false;
    const { agreed } = await this.#connected();
    // Who outlives it ends with it where that was asked for; at Codex there is nothing to end any more.
    if (this.log.exited !== null && !agreed.has("outcome.v1")) return false;
    const { processId } = this;
    const asks = grace !== undefined && agreed.has("signals.v1");
    const params = asks ? { processId, signal: grace.signal, graceMs: grace.ms } : { processId };
    return readTerminateAnswer(await this.#call("process/terminate", params, { cleansUp: true })).running;
  }

  /** Something it did; may come in any order, and more than once. */
  take(event: ToldEvent): void {
    if (this.#state === "over") return;
    try {
      this.#order.insert(event);
    } catch (error) {
      if (!(error instanceof OrderError)) throw error;
      this.#abandon(error.message, this.uplink.session?.link ?? null);
      return;
    }
    this.#askAboutExit();
  }

  /** The connection is gone: whatever comes next may come with a hole before it. */
  lost(): void {
    this.#order.isCatchingUp = true;
    this.#acknowledger.stop();
  }

  /** Asks once for what was missed, and puts it in its place. Rejects only when the connection is lost again. */
  async replay(link: Link): Promise<void> {
    const { processId } = this;
    const params = { processId, afterSeq: this.#order.lastPublished, maxBytes: null, waitMs: 0 };
    try {
      const answer = readReadAnswer(await link.call("process/read", params));
      const { events, completedExit } = eventsFromRead(this.#order, answer);
      if (completedExit !== null) this.#order.completeExit(completedExit, answer.sandboxDenied);
      for (const event of events) this.#order.insert(event);
    } catch (error) {
      if (error instanceof CallError && error.code === "ended") throw error;
      const known = error instanceof CatchUpError || error instanceof OrderError;
      this.#abandon(`failed to recover process ${processId}: ${known ? error.message : textOf(error)}`, link);
      return;
    }
    this.#order.isCatchingUp = false;
  }

  /** A new connection is in use. */
  resumed(session: OpenSession): void {
    if (this.#state === "over") return;
    this.#input.resumed(session);
    this.#acknowledger.resumed();
    this.#askAboutExit();
  }

  /** Nothing more will be known of it. */
  fail(message: string): void {
    this.#order.end();
    this.log.fail(message);
    this.#input.fail(new ProcessError("lost", message));
    this.#finish();
  }

  #publish(event: ProcessEvent): void {
    switch (event.type) {
      case "output":
        this.log.appendOutput(event.stream, event.bytes);
        break;
      case "exited":
        this.log.appendExited(event.exitCode, event.sandboxDenied, event.account ?? null);
        break;
      case "gap":
        this.log.appendGap(event.toSeq, event.bytes);
        break;
      case "closed":
        this.log.appendClosed();
        this.#finish();
    }
    this.#readersMoved();
  }

  #readersMoved(): void {
    this.keeper.behind(this, this.#state !== "over" && this.log.isHeld);
    this.#acknowledger.moved();
  }

  #finish(): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.keeper.over(this);
  }

  #acknowledgements(): { windowBytes: number; ack(seq: number): void } | null {
    const { session } = this.uplink;
    if (session === null || !session.agreed.has("flow.v1")) return null;
    const { link, windowBytes } = session;
    return { windowBytes, ack: (seq) => link.notify("process/ack", { processId: this.processId, seq }) };
  }

  /** An old server tells an exit without saying whether the sandbox was the reason; one read tells it. */
  #askAboutExit(): void {
    const exit = this.#order.unfinishedExit;
    const session = this.uplink.session;
    if (exit === null || this.#asking || session === null) return;
    this.#asking = true;
    const params = {
      processId: this.processId,
      afterSeq: this.#order.lastPublished,
      maxBytes: null,
      waitMs: 0,
    };
    session.link.call("process/read", params).then(readReadAnswer).then(
      ({ sandboxDenied }) => this.#order.completeExit(exit.seq, sandboxDenied),
      (error: unknown) => {
        // After an interruption the catch-up tells it.
        if (error instanceof CallError && error.code === "ended") return;
        this.#order.completeExit(exit.seq, false);
      },
    ).finally(() => (this.#asking = false));
  }

  /**
   * This process alone cannot be followed any more; nobody could steer it either, so it is ended. One that is kept is left
   * to those who still can.
   */
  #abandon(message: string, link: Link | null): void {
    const method = this.isKept ? "process/detach" : "process/terminate";
    link?.call(method, { processId: this.processId }, { cleansUp: true }).catch(() => {
      // It is gone already, or its server is.
    });
    this.fail(message);
  }

  async #connected(): Promise<OpenSession> {
    try {
      return this.uplink.session ?? await this.uplink.whenConnected();
    } catch (error) {
      throw lossOf(error);
    }
  }

  async #require(extension: Extension, what: string): Promise<void> {
    if ((await this.#connected()).agreed.has(extension)) return;
    throw new ProcessError("unsupported", `Cannot ${what}: the server does not know how (no ${extension})`);
  }

  async #call(method: string, params: unknown, options?: CallOptions): Promise<unknown> {
    try {
      return await this.uplink.call(method, params, options);
    } catch (error) {
      throw lossOf(error);
    }
  }
}

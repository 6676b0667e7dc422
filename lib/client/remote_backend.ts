import type { Clock } from "../base/clock.ts";
import type { Abilities, Backend, ProcessHandle, StartOptions } from "../process/backend.ts";
import { ProcessError } from "../process/process_error.ts";
import { CallError } from "../rpc/call_error.ts";
import { readAttachAnswer } from "../wire/client_messages.ts";
import { ClientError, inClientWords } from "./client_error.ts";
import type { Link } from "./link.ts";
import type { OpenSession } from "./open_session.ts";
import { PendingStart } from "./pending_start.ts";
import { attachErrorOf, lossOf, startErrorOf } from "./process_words.ts";
import { type Keeper, RemoteProcess } from "./remote_process.ts";
import type { AskedSandbox } from "./sandbox_words.ts";
import { startParams } from "./start_words.ts";
import type { Uplink, UplinkUser } from "./uplink.ts";
import type { ToldNews } from "./wire_events.ts";

/** Reads that are asked for at once when a connection is back: far below the limit of calls. */
const REPLAYS_AT_ONCE = 64;
/** How long the end of everything may take before we leave anyway. */
const END_MS = 2_000;

/** Processes on a server. Outlives the interruptions of its connection. */
export class RemoteBackend implements Backend, UplinkUser, Keeper {
  readonly #processes = new Map<string, RemoteProcess>();
  /** Asked for, and not answered yet. */
  readonly #starts = new Map<string, PendingStart>();
  /** Their readers are too far behind. */
  readonly #behind = new Set<RemoteProcess>();
  /** Nobody knows whether they were started: their connection was lost before the answer. */
  readonly #ambiguous = new Set<string>();
  /** Those of them whose end was asked for on the newest connection; each resolves with the answer or without. */
  readonly #endings = new Map<string, Promise<void>>();

  constructor(private readonly uplink: Uplink, private readonly clock: Clock) {}

  async abilities(): Promise<Abilities> {
    const { agreed, trees } = await this.#connected();
    return {
      terminal: agreed.has("terminal.v1"),
      closeInput: agreed.has("stdin.v1"),
      signals: agreed.has("signals.v1"),
      trees,
    };
  }

  async start(options: StartOptions, sandbox: AskedSandbox | null = null): Promise<ProcessHandle> {
    const session = await this.#connected();
    const { processId } = options;
    const params = startParams(options, sandbox, session);
    if (this.#processes.has(processId)) {
      throw new ProcessError("duplicate", `session already registered for process ${processId}`);
    }
    const process = new RemoteProcess(processId, this.uplink, this.clock, this, options.keep !== undefined);
    // Known before it is asked for: its first output may come before the answer.
    this.#processes.set(processId, process);
    // Nothing is forgotten before the caller had a chance to follow it.
    const hold = process.log.follow(0, () => {});
    const start = new PendingStart(processId, params);
    this.#starts.set(processId, start);
    try {
      await start.send(session);
    } catch (error) {
      if (this.#processes.get(processId) === process) this.#processes.delete(processId);
      throw startErrorOf(error);
    } finally {
      this.#starts.delete(processId);
    }
    process.started();
    setImmediate(() => hold.leave());
    return process;
  }

  /** Follows one that somebody started and that is kept there, from its first event. */
  async attach(processId: string, write: boolean): Promise<ProcessHandle> {
    await this.#connected();
    if (this.#processes.has(processId)) {
      throw new ProcessError("duplicate", `process ${processId} is followed already`);
    }
    const process = new RemoteProcess(processId, this.uplink, this.clock, this, true);
    this.#processes.set(processId, process);
    const hold = process.log.follow(0, () => {});
    try {
      await this.#askToAttach(processId, write);
    } catch (error) {
      if (this.#processes.get(processId) === process) this.#processes.delete(processId);
      throw attachErrorOf(error);
    }
    process.started();
    setImmediate(() => hold.leave());
    return process;
  }

  news({ processId, event }: ToldNews): void {
    this.#processes.get(processId)?.take(event);
  }

  over(process: RemoteProcess): void {
    this.#processes.delete(process.processId);
    this.behind(process, false);
  }

  behind(process: RemoteProcess, isBehind: boolean): void {
    const changed = isBehind ? !this.#behind.has(process) : this.#behind.has(process);
    if (!changed) return;
    if (isBehind) this.#behind.add(process);
    else this.#behind.delete(process);
    this.uplink.adjustPace();
  }

  get isBehind(): boolean {
    return this.#behind.size > 0;
  }

  lost(): void {
    for (const process of [...this.#processes.values()]) {
      const start = this.#starts.get(process.processId);
      if (start !== undefined && !start.mayBeRepeated) this.#forget(start);
      else process.lost();
    }
  }

  async replay(session: OpenSession): Promise<void> {
    const { link } = session;
    for (const start of [...this.#starts.values()]) {
      if (session.agreed.has("outcome.v1")) await start.repeat(session);
      else this.#giveUp(start); // another server, which would start it twice
    }
    this.#endings.clear();
    for (const processId of this.#ambiguous) {
      this.#endings.set(processId, this.#endAmbiguous(link, processId));
    }
    const processes = [...this.#processes.values()].filter(({ isStarting, processId }) =>
      !isStarting || this.#starts.get(processId)?.isAnswered
    );
    for (let start = 0; start < processes.length; start += REPLAYS_AT_ONCE) {
      await Promise.all(
        processes.slice(start, start + REPLAYS_AT_ONCE).map((process) => process.replay(link)),
      );
    }
  }

  resumed(session: OpenSession): void {
    for (const process of [...this.#processes.values()]) process.resumed(session);
  }

  failed(message: string): void {
    for (const start of this.#starts.values()) start.fail(new ProcessError("lost", message));
    for (const process of [...this.#processes.values()]) process.fail(message);
  }

  /**
   * Ends every process that still runs and is not kept; waits for their ends, but not for ever. While the connection is being recovered
   * nobody can be ended, and the server does it when its patience ends; only for what may have been started without
   * anybody's knowledge the recovery is waited for.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    // Nobody waits for those any more; what may run of them is to end.
    if (this.uplink.session === null) { for (const start of [...this.#starts.values()]) this.#giveUp(start); }
    await this.#endsOfAmbiguous();
    if (this.uplink.session === null) return;
    const ends = [...this.#processes.values()].filter(({ isKept }) => !isKept).map(async (process) => {
      const closed = new Promise<void>((resolve) => {
        process.log.watch(() => {
          if (process.log.closed !== null || process.log.failed !== null) resolve();
        });
      });
      try {
        if (await process.terminate()) await closed;
      } catch (error) {
        // Its server is gone: it ends there by itself.
        if (!(error instanceof ProcessError)) throw error;
      }
    });
    await this.#settled(ends);
  }

  async #endsOfAmbiguous(): Promise<void> {
    while (this.#ambiguous.size > 0) {
      try {
        await this.uplink.whenConnected();
      } catch (error) {
        if (error instanceof ClientError) return;
        throw error;
      }
      if (!await this.#settled(this.#endings.values())) return;
    }
  }

  /** False when it takes too long. */
  async #settled(ends: Iterable<Promise<void>>): Promise<boolean> {
    const late = Promise.withResolvers<boolean>();
    const timer = this.clock.after(END_MS, () => late.resolve(false));
    try {
      return await Promise.race([Promise.all(ends).then(() => true), late.promise]);
    } finally {
      timer.cancel();
    }
  }

  /** It fails now, and is never adopted: its caller may have tried something else by then. */
  #forget({ processId }: PendingStart): void {
    this.#ambiguous.add(processId);
    this.#processes.delete(processId);
    this.#starts.delete(processId);
  }

  #giveUp(start: PendingStart): void {
    this.#forget(start);
    start.fail(new ProcessError("lost", "exec-server transport disconnected"));
  }

  #endAmbiguous(link: Link, processId: string): Promise<void> {
    return link.call("process/terminate", { processId }, { cleansUp: true }).then(
      () => void this.#ambiguous.delete(processId),
      (error: unknown) => {
        // Lost again before the answer: asked again on the next connection.
        if (!(error instanceof CallError && error.code === "ended")) this.#ambiguous.delete(processId);
      },
    );
  }

  /** Asked again where the answer was lost: it begins anew then, and tells what was told before once more. */
  async #askToAttach(processId: string, write: boolean): Promise<void> {
    while (true) {
      try {
        readAttachAnswer(await this.uplink.call("process/attach", { processId, write }));
        return;
      } catch (error) {
        const isCut = inClientWords(error).code === "disconnected" && this.uplink.state.state !== "failed";
        if (!isCut) throw error;
      }
    }
  }

  async #connected(): Promise<OpenSession> {
    try {
      return this.uplink.session ?? await this.uplink.whenConnected();
    } catch (error) {
      throw lossOf(error);
    }
  }
}

import type { Clock, Timer } from "../base/clock.ts";
import type { StartOptions } from "../process/backend.ts";
import { type LogPage, RETAINED_BYTES } from "../process/event_log.ts";
import type { ConfinedStart } from "../process/local/confined_start.ts";
import type { SandboxedStart } from "../process/local/confinement.ts";
import { LocalBackend } from "../process/local/local_backend.ts";
import type { LocalProcess } from "../process/local/local_process.ts";
import { bestTrees } from "../process/local/tree/tree_support.ts";
import { ProcessError } from "../process/process_error.ts";
import type { Spools } from "../process/spool.ts";
import type { Outbox } from "../rpc/outbox.ts";
import type { Agreed } from "../wire/extensions.ts";
import { Acknowledgements } from "./acknowledgements.ts";
import { type Attachment, type AttachmentEvent, nextAttachment } from "./attachment.ts";
import { AwaitedReads } from "./awaited_reads.ts";
import { EventPublisher, type Listener } from "./event_publisher.ts";
import type { Kept, KeptProcesses, Owner } from "./kept_processes.ts";
import { KeptSeat } from "./kept_seat.ts";
import { StartLedger } from "./start_ledger.ts";

/** The connection that a session speaks to. */
export interface Attached {
  readonly outbox: Outbox;
  readonly agreed: Agreed;
  /** Somebody else claims its place: it shows that it is alive, or goes. */
  challenge(): void;
  /** Ends it from this side. */
  end(): void;
}

/** A process that runs, and of which nothing was told yet. */
export interface Started {
  readonly process: LocalProcess;
  tell(): void;
}

/** A client's processes. It outlives the connection that made it, for a while. */
export class Session {
  readonly #backend: LocalBackend;
  #bond: Attachment<Attached>;
  #expiry: Timer | null = null;
  readonly #publishers = new Map<LocalProcess, EventPublisher>();
  #awaited: AwaitedReads | null = null;
  readonly #acknowledgements = new Acknowledgements();
  /** Those that were given an id of their own. */
  readonly starts = new StartLedger<Started>();
  /** Its place among those processes that outlive it. */
  readonly seat: KeptSeat;

  constructor(
    readonly id: string,
    connection: Attached,
    private readonly clock: Clock,
    private readonly detachTtlMs: number,
    private readonly onEnd: (session: Session) => void,
    kept: KeptProcesses,
    owner: Owner,
    spools: Spools | null = null,
  ) {
    this.seat = new KeptSeat(kept, owner, id, {
      isListening: () => this.#bond.state === "attached",
      forgotten: (processId) => this.#forgotten(processId),
      waitsNoMore: (process) => this.#waitNoMore(process),
    });
    this.#backend = new LocalBackend(clock, (processId) => this.#forgotten(processId), spools, bestTrees);
    this.#bond = { state: "attached", connection };
  }

  isAttachedTo(connection: Attached): boolean {
    return this.#bond.state === "attached" && this.#bond.connection === connection;
  }

  /**
   * Starts a process whose every event goes to the attached connection once the answer does: `tell` is to be called while
   * that is put into words. Resolves later where it is to be confined; its id is taken at once.
   */
  start(options: StartOptions, sandboxed: SandboxedStart | null): Started | Promise<Started> {
    const asker = this.#bond;
    const started = this.#begin(options, sandboxed);
    return started instanceof Promise
      ? started.then((process) => this.#started(process, asker))
      : this.#started(started, asker);
  }

  /** One of its own, one that it follows, or one that it may see. */
  process(processId: string): LocalProcess | undefined {
    return this.#backend.get(processId) ?? this.seat.followed(processId) ??
      (this.#seesKept ? this.seat.find(processId)?.process : undefined);
  }

  /** A start that takes a while, until it is done. */
  starting(processId: string): ConfinedStart | undefined {
    return this.#backend.starting(processId) ?? (this.#seesKept ? this.seat.starting(processId) : undefined);
  }

  /** Follows a kept process from there on: `tell` is to be called while the answer is put into words. */
  attach(kept: Kept, afterSeq: number, write: boolean): Started {
    const { process } = kept;
    this.#unfollow(process);
    this.seat.sit(kept, write);
    return this.#follow(process, afterSeq, this.#bond);
  }

  detachKept(kept: Kept): void {
    this.#unfollow(kept.process);
    this.seat.leave(kept);
  }

  /** The client has every event of a process up to `seq`. */
  acknowledge(processId: string, seq: number): void {
    const process = this.#backend.get(processId) ?? this.seat.followed(processId);
    if (process === undefined) return;
    this.#acknowledgements.acknowledge(process, seq);
    this.#publishers.get(process)?.pump();
  }

  /** The client is being told what it asked for; it may wait for what comes after. */
  wasRead(process: LocalProcess, page: LogPage): void {
    this.#awaited?.read(process, page);
  }

  /** Takes the session up again. What happened while nobody listened is not told again: it can be read. */
  resume(connection: Attached): "resumed" | "busy" | "gone" {
    if (this.#bond.state === "attached") {
      this.#bond.connection.challenge();
      return "busy";
    }
    this.#move({ type: "resumed", connection, now: this.clock.now() });
    if (!this.isAttachedTo(connection)) {
      this.end();
      return "gone";
    }
    if (!connection.agreed.has("flow.v1")) this.#acknowledgements.forgetAll();
    const settles = !connection.agreed.has("flow.v1");
    const awaited = new AwaitedReads(this.clock, connection.outbox, settles, (process, afterSeq) => {
      this.#expectAcknowledgements(process, afterSeq);
      this.#publish(process, afterSeq);
    });
    this.#awaited = awaited;
    for (const process of this.#followed()) {
      const { log } = process;
      const cursor = log.nextSeq - 1;
      // One answer may not hold all that was missed: what is told goes on where that ends.
      if (log.isSpooled && log.writtenBytes > RETAINED_BYTES) {
        awaited.add(process, cursor);
      } else {
        this.#publish(process, cursor);
        this.#expectAcknowledgements(process, cursor);
      }
    }
    return "resumed";
  }

  /** The connection is gone: the processes run free, for as long as a client may take to come back. */
  detach(connection: Attached): void {
    this.#move({ type: "connection ended", connection, expiresAt: this.clock.now() + this.detachTtlMs });
  }

  /** Ends every process, at once. */
  end(): void {
    this.#move({ type: "time is up" });
  }

  get #seesKept(): boolean {
    return this.#bond.state === "attached" && this.#bond.connection.agreed.has("processes.v1");
  }

  #followed(): LocalProcess[] {
    return [...this.#backend.processes(), ...this.seat.allFollowed()];
  }

  #begin(options: StartOptions, sandboxed: SandboxedStart | null): LocalProcess | Promise<LocalProcess> {
    const { processId, keep } = options;
    const isTaken = keep === undefined
      ? this.#seesKept && this.seat.has(processId)
      : this.#backend.get(processId) !== undefined || this.#backend.starting(processId) !== undefined;
    if (isTaken) throw new ProcessError("duplicate", `process ${processId} already exists`);
    return keep === undefined
      ? this.#backend.start(options, sandboxed)
      : this.seat.start({ ...options, keep }, sandboxed);
  }

  #started(process: LocalProcess, asker: Attachment<Attached>): Started {
    return this.#follow(process, 0, asker);
  }

  #follow(process: LocalProcess, afterSeq: number, asker: Attachment<Attached>): Started {
    this.#expectAcknowledgements(process, afterSeq);
    // It may have come to its end by now; that is told all the same.
    const publisher = this.#publish(process, afterSeq, "quiet");
    const tell = () => publisher?.speakSoon();
    // Whoever took the session up meanwhile gets no answer, and hears of it all the same.
    if (this.#bond !== asker) tell();
    return { process, tell };
  }

  #unfollow(process: LocalProcess): void {
    this.#publishers.get(process)?.stop();
    this.#publishers.delete(process);
    this.#acknowledgements.forget(process.processId);
  }

  /** It goes on listening, and the process does not wait for it any more. */
  #waitNoMore(process: LocalProcess): void {
    const cursor = this.#publishers.get(process)?.cursor;
    if (cursor === undefined) return;
    this.#unfollow(process);
    this.#follow(process, cursor, this.#bond).tell();
  }

  #expectAcknowledgements(process: LocalProcess, afterSeq: number): void {
    if (this.#bond.state !== "attached" || isOver(process, afterSeq)) return;
    if (!this.#bond.connection.agreed.has("flow.v1")) return;
    this.#acknowledgements.expect(process, afterSeq, this.seat.holds(process));
  }

  #publish(
    process: LocalProcess,
    afterSeq: number,
    begins: "quiet" | "speaking" = "speaking",
  ): EventPublisher | null {
    if (this.#bond.state !== "attached" || isOver(process, afterSeq)) return null;
    const { connection } = this.#bond;
    const onClosed = () => this.#publishers.delete(process);
    const listener: Listener = {
      mayHearMore: (told, bytes) => this.#acknowledgements.allow(told, bytes),
      // It comes back and reads, and by what is missing there its own rules tell it that something is.
      cannotHearOfGap: () => connection.end(),
      agreed: connection.agreed,
      holds: this.seat.holds(process),
    };
    const publisher = EventPublisher.quiet(process, afterSeq, connection.outbox, onClosed, listener);
    this.#publishers.set(process, publisher);
    if (begins === "speaking") publisher.speak();
    return publisher;
  }

  #forgotten(processId: string): void {
    this.#acknowledgements.forget(processId);
    // Whoever is still being told of it is told the rest.
    for (const publisher of this.#publishers.values()) publisher.pump();
  }

  /** The only place where the bond changes, and where that has its effects. */
  #move(event: AttachmentEvent<Attached>): void {
    const before = this.#bond;
    this.#bond = nextAttachment(before, event);
    if (this.#bond === before || (before.state === "ended" && this.#bond.state === "ended")) return;
    this.#expiry?.cancel();
    if (this.#bond.state === "attached") return;
    // Nobody listens: the children are held back no more, but for a reader that acknowledges.
    this.#awaited?.stop();
    for (const publisher of this.#publishers.values()) publisher.stop();
    this.#publishers.clear();
    if (this.#bond.state === "detached") {
      // What the reader does not have yet is kept for it on disk: nobody needs to wait for it.
      for (const { log, processId } of this.#backend.processes()) {
        if (log.isSpooled) this.#acknowledgements.forget(processId);
      }
      for (const { processId } of this.seat.allFollowed()) this.#acknowledgements.forget(processId);
      this.#expiry = this.clock.after(this.detachTtlMs, () => this.end());
      return;
    }
    this.#acknowledgements.forgetAll();
    this.#backend.endAll();
    this.seat.leaveAll();
    this.onEnd(this);
  }
}

/** Whether nothing comes after that. */
function isOver({ log }: LocalProcess, afterSeq: number): boolean {
  return log.closed !== null && afterSeq >= log.closed.seq;
}

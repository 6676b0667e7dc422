import type { Clock, Timer } from "../base/clock.ts";
import type { StartOptions } from "../process/backend.ts";
import type { ConfinedStart } from "../process/local/confined_start.ts";
import type { SandboxedStart } from "../process/local/confinement.ts";
import { LocalBackend } from "../process/local/local_backend.ts";
import type { LocalProcess } from "../process/local/local_process.ts";
import type { Outbox } from "../rpc/outbox.ts";
import type { Agreed } from "../wire/extensions.ts";
import { Acknowledgements } from "./acknowledgements.ts";
import { type Attachment, type AttachmentEvent, nextAttachment } from "./attachment.ts";
import { EventPublisher } from "./event_publisher.ts";

/** The connection that a session speaks to. */
export interface Attached {
  readonly outbox: Outbox;
  readonly agreed: Agreed;
  /** Somebody else claims its place: it shows that it is alive, or goes. */
  challenge(): void;
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
  readonly #publishers = new Set<EventPublisher>();
  readonly #acknowledgements = new Acknowledgements();

  constructor(
    readonly id: string,
    connection: Attached,
    private readonly clock: Clock,
    private readonly detachTtlMs: number,
    private readonly onEnd: (session: Session) => void,
  ) {
    this.#backend = new LocalBackend(clock, (processId) => this.#acknowledgements.forget(processId));
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
    const started = this.#backend.start(options, sandboxed);
    return started instanceof Promise
      ? started.then((process) => this.#started(process, asker))
      : this.#started(started, asker);
  }

  process(processId: string): LocalProcess | undefined {
    return this.#backend.get(processId);
  }

  /** A start that takes a while, until it is done. */
  starting(processId: string): ConfinedStart | undefined {
    return this.#backend.starting(processId);
  }

  /** The client has every event of a process up to `seq`. */
  acknowledge(processId: string, seq: number): void {
    const process = this.#backend.get(processId);
    if (process !== undefined) this.#acknowledgements.acknowledge(process, seq);
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
    for (const process of this.#backend.processes()) {
      if (process.log.closed === null) this.#publish(process, process.log.nextSeq - 1);
      this.#expectAcknowledgements(process, process.log.nextSeq - 1);
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

  #started(process: LocalProcess, asker: Attachment<Attached>): Started {
    this.#expectAcknowledgements(process, 0);
    // It may have come to its end by now; that is told all the same.
    const publisher = this.#publish(process, 0, "quiet");
    const tell = () => publisher?.speakSoon();
    // Whoever took the session up meanwhile gets no answer, and hears of it all the same.
    if (this.#bond !== asker) tell();
    return { process, tell };
  }

  #expectAcknowledgements(process: LocalProcess, afterSeq: number): void {
    if (this.#bond.state !== "attached" || process.log.closed !== null) return;
    if (this.#bond.connection.agreed.has("flow.v1")) this.#acknowledgements.expect(process, afterSeq);
  }

  #publish(
    process: LocalProcess,
    afterSeq: number,
    begins: "quiet" | "speaking" = "speaking",
  ): EventPublisher | null {
    if (this.#bond.state !== "attached") return null;
    const { outbox } = this.#bond.connection;
    const onClosed = () => this.#publishers.delete(publisher);
    const publisher: EventPublisher = begins === "quiet"
      ? EventPublisher.quiet(process, afterSeq, outbox, onClosed)
      : new EventPublisher(process, afterSeq, outbox, onClosed);
    this.#publishers.add(publisher);
    return publisher;
  }

  /** The only place where the bond changes, and where that has its effects. */
  #move(event: AttachmentEvent<Attached>): void {
    const before = this.#bond;
    this.#bond = nextAttachment(before, event);
    if (this.#bond === before || (before.state === "ended" && this.#bond.state === "ended")) return;
    this.#expiry?.cancel();
    if (this.#bond.state === "attached") return;
    // Nobody listens: the children are held back no more, but for a reader that acknowledges.
    for (const publisher of this.#publishers) publisher.stop();
    this.#publishers.clear();
    if (this.#bond.state === "detached") {
      this.#expiry = this.clock.after(this.detachTtlMs, () => this.end());
      return;
    }
    this.#acknowledgements.forgetAll();
    this.#backend.endAll();
    this.onEnd(this);
  }
}

import type { Follower } from "../process/event_log.ts";
import type { ProcessHandle } from "../process/backend.ts";
import type { ProcessEvent } from "../process/process_event.ts";
import type { Outbox, Producer } from "../rpc/outbox.ts";
import { type Agreed, NOTHING_AGREED } from "../wire/extensions.ts";
import { writeClosed, writeExited, writeGap, writeOutput } from "../wire/process_events.ts";
import { accountInWords, gapInWords } from "./outcome_words.ts";

/** Whom a process is told to, as far as that concerns how much and what. */
export interface Listener {
  /** Whether it may be told more of this process, having been told of so many bytes. */
  mayHearMore(process: ProcessHandle, toldBytes: number): boolean;
  /** It must not be told of what comes after a gap as if there were none. */
  cannotHearOfGap(): void;
  /** With `outcome.v1` it can, and hears more of an end. */
  readonly agreed: Agreed;
  /** False: the process does not wait for it. */
  readonly holds?: boolean;
}

const PATIENT: Listener = { mayHearMore: () => true, cannotHearOfGap: () => {}, agreed: NOTHING_AGREED };

/** Follows one process for one connection: every event from its cursor on, in order, none skipped. */
export class EventPublisher implements Producer {
  /** While it is quiet nothing is told, and nothing is forgotten. */
  #state: "quiet" | "speaking" | "stopped" = "speaking";
  readonly #follower: Follower;
  readonly #id: string;

  constructor(
    private readonly process: ProcessHandle,
    afterSeq: number,
    private readonly outbox: Outbox,
    private readonly onClosed: () => void,
    private readonly listener: Listener = PATIENT,
  ) {
    this.#id = JSON.stringify(process.processId);
    this.#follower = process.log.follow(
      afterSeq,
      () => this.pump(),
      listener.holds === false ? Infinity : undefined,
    );
  }

  /** One that says nothing before `speakSoon()`: the answer to the start comes before its events. */
  static quiet(...about: ConstructorParameters<typeof EventPublisher>): EventPublisher {
    const publisher = new EventPublisher(...about);
    publisher.#state = "quiet";
    return publisher;
  }

  /** To be called while the answer is put into words: speaks as soon as that is sent. */
  speakSoon(): void {
    queueMicrotask(() => this.speak());
  }

  speak(): void {
    if (this.#state !== "quiet") return;
    this.#state = "speaking";
    this.pump();
  }

  pump(): void {
    if (this.#state !== "speaking") return;
    while (!this.outbox.isFull) {
      // Whoever says that it has some of it pumps us.
      if (!this.listener.mayHearMore(this.process, this.#follower.takenBytes)) return;
      const event = this.#follower.take();
      if (event === null) return;
      if (event.type === "gap" && !this.listener.agreed.has("outcome.v1")) {
        this.stop();
        this.listener.cannotHearOfGap();
        return;
      }
      this.#publish(event);
    }
    this.outbox.waitForRoom(this);
  }

  /** What it has told so far. */
  get cursor(): number {
    return this.#follower.cursor;
  }

  stop(): void {
    this.#state = "stopped";
    this.outbox.forget(this);
    this.#follower.leave();
  }

  #publish(event: ProcessEvent): void {
    this.outbox.put(this.#inWords(event));
    if (event.type !== "closed") return;
    this.stop();
    this.onClosed();
  }

  #inWords(event: ProcessEvent): string {
    switch (event.type) {
      case "output":
        return writeOutput(this.#id, event.seq, event.stream, event.bytes);
      case "exited":
        return writeExited(
          this.#id,
          event.seq,
          event.exitCode,
          event.sandboxDenied,
          accountInWords(event.account, this.listener.agreed),
        );
      case "gap":
        return writeGap(this.#id, gapInWords(event));
      case "closed":
        return writeClosed(this.#id, event.seq);
    }
  }
}

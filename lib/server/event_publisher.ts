import type { Follower } from "../process/event_log.ts";
import type { ProcessHandle } from "../process/backend.ts";
import type { ProcessEvent } from "../process/process_event.ts";
import type { Outbox, Producer } from "../rpc/outbox.ts";
import { writeClosed, writeExited, writeOutput } from "../wire/process_events.ts";

/** Follows one process for one connection: every event from its cursor on, in order, none skipped. */
export class EventPublisher implements Producer {
  /** While it is quiet nothing is told, and nothing is forgotten. */
  #state: "quiet" | "speaking" | "stopped" = "speaking";
  readonly #follower: Follower;
  readonly #id: string;

  constructor(
    process: ProcessHandle,
    afterSeq: number,
    private readonly outbox: Outbox,
    private readonly onClosed: () => void,
  ) {
    this.#id = JSON.stringify(process.processId);
    this.#follower = process.log.follow(afterSeq, () => this.pump());
  }

  /** One that says nothing before `speakSoon()`: the answer to the start comes before its events. */
  static quiet(...about: ConstructorParameters<typeof EventPublisher>): EventPublisher {
    const publisher = new EventPublisher(...about);
    publisher.#state = "quiet";
    return publisher;
  }

  /** To be called while the answer is put into words: speaks as soon as that is sent. */
  speakSoon(): void {
    queueMicrotask(() => {
      if (this.#state !== "quiet") return;
      this.#state = "speaking";
      this.pump();
    });
  }

  pump(): void {
    if (this.#state !== "speaking") return;
    while (!this.outbox.isFull) {
      const event = this.#follower.take();
      if (event === null) return;
      this.#publish(event);
    }
    this.outbox.waitForRoom(this);
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
        return writeExited(this.#id, event.seq, event.exitCode, event.sandboxDenied);
      case "closed":
        return writeClosed(this.#id, event.seq);
    }
  }
}

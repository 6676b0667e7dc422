import type { Transport } from "./transport.ts";

/** Something that sends many messages and waits its turn when there is no room. */
export interface Producer {
  /** Sends what it has while there is room. Called again when there is room after there was none. */
  pump(): void;
}

/**
 * The outgoing messages of one connection, in order; the only place that writes to it. Answers are always
 * taken; those who produce without being asked look at `isFull` and wait their turn.
 */
export class Outbox {
  readonly #waiting = new Set<Producer>();

  constructor(private readonly transport: Transport) {}

  get isFull(): boolean {
    return this.transport.isFull;
  }

  get unsentBytes(): number {
    return this.transport.unsentBytes;
  }

  put(message: string): void {
    this.transport.send(message);
  }

  /** Pumps the producer once there is room. */
  waitForRoom(producer: Producer): void {
    this.#waiting.add(producer);
  }

  forget(producer: Producer): void {
    this.#waiting.delete(producer);
  }

  /** There is room: everyone who waited gets a turn, the longest waiting first. */
  drained(): void {
    for (const producer of [...this.#waiting]) {
      if (this.transport.isFull) return;
      // Whoever fills it again waits behind those who had no turn. Another's turn may have forgotten this one.
      if (this.#waiting.delete(producer)) producer.pump();
    }
  }
}

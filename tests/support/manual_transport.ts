import type { Receiver, Transport } from "../../lib/rpc/transport.ts";

/** A transport whose far side is the test: it sees what was sent, and says when there is room. */
export class ManualTransport implements Transport {
  readonly label = "exec-server test";
  readonly sent: string[] = [];
  /** How often it was asked for a sign of life. */
  pings = 0;
  isFull = false;
  unsentBytes = 0;
  isPaused = false;
  hasEnded = false;
  /** Becomes full once so many messages were sent since the last `drain`; the test's buffer, so to speak. */
  room = Infinity;
  #receiver: Receiver | null = null;
  #sinceDrain = 0;

  send(message: string): void {
    if (this.hasEnded) return;
    this.sent.push(message);
    this.#sinceDrain += 1;
    if (this.#sinceDrain >= this.room) this.isFull = true;
  }

  /** The far side took everything, so there is room for so many again. */
  drain(room = this.room): void {
    this.room = room;
    this.#sinceDrain = 0;
    this.isFull = room === 0;
    this.#receiver?.drained();
  }

  receive(receiver: Receiver): void {
    this.#receiver = receiver;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  ping(): void {
    this.pings += 1;
  }

  end(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.#receiver?.ended("ended by this side");
  }
}

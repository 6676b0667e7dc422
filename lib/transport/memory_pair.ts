import type { Receiver, Transport } from "../rpc/transport.ts";

/** Above this much not taken by the other side, producers wait; as much as a socket would hold. */
const FULL_BYTES = 1024 * 1024;
const ROOM_BYTES = 256 * 1024;

/** Two transports, each the other's far end: a client and a server in one program. */
export function memoryPair(): [MemoryEnd, MemoryEnd] {
  const one = new MemoryEnd("exec-server memory a");
  const other = new MemoryEnd("exec-server memory b");
  one.join(other);
  other.join(one);
  return [one, other];
}

/** One end of the pair. Messages arrive after the sender's turn, as those of a socket do. */
export class MemoryEnd implements Transport {
  #far!: MemoryEnd;
  #receiver: Receiver | null = null;
  readonly #arrived: string[] = [];
  #arrivedBytes = 0;
  #full = false;
  #paused = false;
  #scheduled = false;
  #ended: string | null = null;
  #told = false;

  constructor(readonly label: string) {}

  join(far: MemoryEnd): void {
    this.#far = far;
  }

  get isFull(): boolean {
    return this.#full;
  }

  get unsentBytes(): number {
    return this.#ended === null ? this.#far.#arrivedBytes : 0;
  }

  send(message: string): void {
    if (this.#ended !== null) return;
    this.#far.#arrived.push(message);
    this.#far.#arrivedBytes += message.length;
    if (this.#far.#arrivedBytes > FULL_BYTES) this.#full = true;
    this.#far.#schedule();
  }

  receive(receiver: Receiver): void {
    this.#receiver = receiver;
    this.#schedule();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#schedule();
  }

  ping(): void {
    if (this.#ended === null && !this.#far.#paused) queueMicrotask(() => this.#receiver?.heard());
  }

  end(): void {
    this.#end("ended by this side");
    this.#far.#end("ended by the other side");
  }

  #end(reason: string): void {
    if (this.#ended !== null) return;
    this.#ended = reason;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#paused || this.#receiver === null) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    while (!this.#paused && this.#arrived.length > 0) {
      const message = this.#arrived.shift()!;
      this.#arrivedBytes -= message.length;
      this.#receiver?.heard();
      this.#receiver?.message(message);
      this.#far.#taken(this.#arrivedBytes);
    }
    if (this.#paused || this.#ended === null || this.#told) return;
    this.#told = true;
    this.#receiver?.ended(this.#ended);
  }

  #taken(left: number): void {
    if (!this.#full || left > ROOM_BYTES) return;
    this.#full = false;
    this.#receiver?.drained();
  }
}

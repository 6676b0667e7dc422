import type { ProcessEvent } from "./process_event.ts";

const GONE: ProcessEvent = { type: "closed", seq: 0 };

/** The events of a log that are in memory: the newest ones, in order. */
export class LogWindow {
  #events: ProcessEvent[] = [];
  #head = 0; // index of the oldest; the array is cut now and then, not whenever one goes
  #nextSeq = 1;
  #bytes = 0;
  #chunks = 0;
  #told = 0; // bytes of output and of gaps
  #allTold = 0; // the same, of everything that ever was in it
  #lentSeq = 0; // the newest that anybody was given: he may hold its bytes still

  get nextSeq(): number {
    return this.#nextSeq;
  }

  /** The oldest number in it; the next one where it is empty. */
  get firstSeq(): number {
    const oldest = this.#events[this.#head];
    if (oldest === undefined) return this.#nextSeq;
    return oldest.type === "gap" ? oldest.fromSeq : oldest.seq;
  }

  /** Of the output in it. */
  get bytes(): number {
    return this.#bytes;
  }

  get chunks(): number {
    return this.#chunks;
  }

  /** Everything that was ever printed, gaps included. */
  get writtenBytes(): number {
    return this.#allTold;
  }

  /** Everything that was printed before the oldest event in it. */
  get bytesBefore(): number {
    return this.#allTold - this.#told;
  }

  push(event: ProcessEvent): void {
    this.#events.push(event);
    this.#nextSeq = event.seq + 1;
    if (event.type === "output") {
      this.#bytes += event.bytes.length;
      this.#chunks += 1;
    }
    this.#told += sizeOf(event);
    this.#allTold += sizeOf(event);
  }

  /** The first event after a cursor. */
  next(seq: number): ProcessEvent | null {
    return this.#lend(this.#events[this.#indexAfter(seq)] ?? null);
  }

  /** Everything after a cursor, oldest first. */
  *after(seq: number): Generator<ProcessEvent> {
    for (let index = this.#indexAfter(seq); index < this.#events.length; index++) {
      yield this.#lend(this.#events[index]!);
    }
  }

  /** The same, for who lets go of all of it before it is dropped. */
  *peek(seq: number): Generator<ProcessEvent> {
    for (let index = this.#indexAfter(seq); index < this.#events.length; index++) yield this.#events[index]!;
  }

  /** How much was printed up to and with a number; of what is not in it any more, all. */
  bytesUpTo(seq: number): number {
    let bytes = this.#allTold;
    for (
      let index = this.#events.length - 1;
      index >= this.#head && this.#events[index]!.seq > seq;
      index--
    ) {
      bytes -= sizeOf(this.#events[index]!);
    }
    return bytes;
  }

  /** Drops the oldest, and its bytes at once where nobody was given them. Only for who knows that they are nobody else's. */
  releaseOldest(): void {
    const event = this.#events[this.#head]!;
    this.dropOldest();
    if (event.type === "output" && event.seq > this.#lentSeq) release(event.bytes);
  }

  dropOldest(): void {
    const event = this.#events[this.#head]!;
    if (event.type === "output") {
      this.#bytes -= event.bytes.length;
      this.#chunks -= 1;
    }
    this.#told -= sizeOf(event);
    this.#events[this.#head] = GONE; // its bytes go now, its place when the array is cut
    this.#head += 1;
    // Shifting each time would move the whole array; leaving it would keep every byte alive.
    if (this.#head > 64 && this.#head * 2 > this.#events.length) {
      this.#events = this.#events.slice(this.#head);
      this.#head = 0;
    }
  }

  #lend<Given extends ProcessEvent | null>(event: Given): Given {
    if (event !== null && event.seq > this.#lentSeq) this.#lentSeq = event.seq;
    return event;
  }

  #indexAfter(seq: number): number {
    if (seq + 1 >= this.#nextSeq) return this.#events.length;
    // Right wherever there is no gap in between.
    const likely = this.#head + seq + 1 - this.firstSeq;
    if (this.#events[likely]?.seq === seq + 1) return likely;
    let [low, high] = [this.#head, this.#events.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#events[middle]!.seq > seq) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** What an event counts for in the sum of all that was printed. */
export function sizeOf(event: ProcessEvent): number {
  if (event.type === "output") return event.bytes.length;
  return event.type === "gap" ? event.bytes ?? 0 : 0;
}

/** Nobody has seen them: the memory need not wait for the collector, who does not hurry where much is printed. */
function release(bytes: Uint8Array): void {
  if (bytes.buffer instanceof ArrayBuffer && bytes.length === bytes.buffer.byteLength) {
    bytes.buffer.transfer(0);
  }
}

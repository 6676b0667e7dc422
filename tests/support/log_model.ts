import { RETAINED_BYTES, RETAINED_CHUNKS } from "../../lib/process/event_log.ts";

const HELD_BYTES = 256 * 1024;
const HELD_EVENTS = 4_096;

/** What an event log promises, said as simply as possible: every rule is worked out anew from all that happened. */
export class LogModel {
  readonly #all: Uint8Array[] = [];
  #kept: { seq: number; bytes: Uint8Array }[] = [];
  readonly #readers = new Set<{ cursor: number }>();

  get keptChunks(): Uint8Array[] {
    return this.#kept.map(({ bytes }) => bytes);
  }

  get isHeld(): boolean {
    return [...this.#readers].some(({ cursor }) => {
      // What is gone is nothing that the reader could still take.
      const oldest = this.#kept[0]?.seq ?? this.#all.length + 1;
      const unread = this.#all.slice(Math.max(cursor, oldest - 1));
      return this.#all.length - cursor >= HELD_EVENTS || sum(unread) > HELD_BYTES;
    });
  }

  append(bytes: Uint8Array): void {
    this.#all.push(bytes);
    this.#kept.push({ seq: this.#all.length, bytes });
    this.#evict();
  }

  follow(afterSeq: number): { cursor: number } {
    const reader = { cursor: afterSeq };
    this.#readers.add(reader);
    return reader;
  }

  /** The number of the next event; of a gap it is the last one that is missing. */
  take(reader: { cursor: number }): number | null {
    if (reader.cursor >= this.#all.length) return null;
    const oldest = this.#kept[0]?.seq ?? this.#all.length + 1;
    reader.cursor = Math.max(reader.cursor + 1, oldest - 1);
    this.#evict();
    return reader.cursor;
  }

  skip(reader: { cursor: number }, to: number): void {
    reader.cursor = Math.max(reader.cursor, Math.min(to, this.#all.length));
    this.#evict();
  }

  leave(reader: { cursor: number }): void {
    this.#readers.delete(reader);
    this.#evict();
  }

  page(afterSeq: number, maxBytes: number | null): { seqs: number[]; nextSeq: number } {
    const later = this.#kept.filter(({ seq }) => seq > afterSeq);
    const fitting = later.filter((_, index) =>
      maxBytes === null || index === 0 ||
      // All before it left room, and it fits.
      (sum(later.slice(0, index).map(({ bytes }) => bytes)) < maxBytes &&
        sum(later.slice(0, index + 1).map(({ bytes }) => bytes)) <= maxBytes)
    );
    const seqs = fitting.map(({ seq }) => seq);
    const last = seqs.at(-1);
    return { seqs, nextSeq: maxBytes === null || last === undefined ? this.#all.length + 1 : last + 1 };
  }

  #evict(): void {
    const needed = Math.min(this.#all.length, ...[...this.#readers].map(({ cursor }) => cursor));
    while (this.#isOver() && this.#kept[0]!.seq <= needed) this.#kept.shift();
  }

  #isOver(): boolean {
    return sum(this.keptChunks) > RETAINED_BYTES || this.#kept.length > RETAINED_CHUNKS;
  }
}

function sum(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((total, { length }) => total + length, 0);
}

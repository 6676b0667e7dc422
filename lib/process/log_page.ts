import type { ExitedEvent, GapEvent, OutputEvent, ProcessEvent } from "./process_event.ts";

/** The most that one page holds: peers refuse messages of 16 MiB, and it is text by then. */
export const PAGE_BYTES = 8 * 1024 * 1024;
/** What a chunk costs in a page beside its bytes. */
const CHUNK_COST = 64;

export interface LogPage {
  readonly chunks: readonly OutputEvent[];
  /** What would stand between them, or before them, and is not kept any more. */
  readonly gaps: readonly GapEvent[];
  /** Where the next page begins, minus one, is the cursor to ask with. */
  readonly nextSeq: number;
  readonly exited: ExitedEvent | null;
  readonly closed: boolean;
  /** Why nothing more will be known; only a client says it. */
  readonly failure: string | null;
  /** Memory that was filled from the disk for this page. */
  readonly own?: readonly Uint8Array<ArrayBuffer>[];
}

/** The page is told, and nobody has any of its chunks: megabytes need not wait for the collector, who does not hurry. */
export function releasePage({ own = [] }: LogPage): void {
  for (const { buffer } of own) buffer.transfer(0);
}

/** What a page needs to know of its log when it is full. */
export interface LogEnd {
  readonly nextSeq: number;
  readonly exited: ExitedEvent | null;
  readonly closed: { readonly seq: number } | null;
  readonly failure: string | null;
}

/** A page while it is put together. */
export class PageBuilder {
  readonly #chunks: OutputEvent[] = [];
  readonly #gaps: GapEvent[] = [];
  #bytes = 0;
  readonly #own: Uint8Array<ArrayBuffer>[] = [];
  #end: "open" | "as asked" | "too large" = "open";

  constructor(public cursor: number, private readonly maxBytes: number | null) {}

  get isFull(): boolean {
    return this.#end !== "open";
  }

  /** How many bytes it may still take. */
  get room(): number {
    return Math.min(this.maxBytes ?? PAGE_BYTES, PAGE_BYTES) - this.#bytes;
  }

  /** Takes what comes next, or ends the page before it. */
  take(event: ProcessEvent): void {
    if (event.type === "output") this.#takeChunk(event);
    else if (event.type === "gap") {
      this.#gaps.push({ ...event, fromSeq: Math.max(event.fromSeq, this.cursor + 1) });
    }
    if (!this.isFull || this.#chunks.at(-1) === event) this.cursor = event.seq;
  }

  /** What it takes next is in there, and nobody else has it. */
  takeMemory(bytes: Uint8Array<ArrayBuffer>): void {
    this.#own.push(bytes);
  }

  finish({ nextSeq, exited, closed, failure }: LogEnd): LogPage {
    const last = this.#chunks.at(-1);
    const isWhole = this.#end !== "too large";
    const asksAll = this.maxBytes === null && isWhole;
    const next = asksAll || last === undefined ? nextSeq : last.seq + 1;
    // A page that nobody asked to be cut says nothing of what comes after it.
    const isTold = (seq: number) => isWhole || seq < next;
    return {
      chunks: this.#chunks,
      // One at its very end belongs to the next page: a cursor stands behind the last chunk.
      gaps: this.#gaps.filter(({ toSeq }) => toSeq < next),
      nextSeq: next,
      exited: exited !== null && isTold(exited.seq) ? exited : null,
      closed: closed !== null && isTold(closed.seq),
      failure,
      ...(this.#own.length === 0 ? {} : { own: this.#own }),
    };
  }

  #takeChunk(chunk: OutputEvent): void {
    const { length } = chunk.bytes;
    if (this.#chunks.length > 0) {
      if (this.maxBytes !== null && this.#bytes + length > this.maxBytes) {
        this.#end = "as asked";
        return;
      }
      if (this.#bytes + length + (this.#chunks.length + 1) * CHUNK_COST > PAGE_BYTES) {
        this.#end = "too large";
        return;
      }
    }
    this.#chunks.push(chunk);
    this.#bytes += length;
    if (this.maxBytes !== null && this.#bytes >= this.maxBytes) this.#end = "as asked";
  }
}

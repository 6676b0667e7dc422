import type { OutputEvent, Stream } from "../process_event.ts";

/** A longer line is taken for several: what is searched and sent in one piece must have an end. */
export const LINE_BYTES = 64 * 1024;
const NEWLINE = 10;

/** Where something begins: so many bytes into the output event of that number. */
export interface Place {
  readonly seq: number;
  readonly skip: number;
}

/** A line with its newline, or the last of an output without; `seq` is the event in which it ends. */
export interface Line {
  readonly seq: number;
  readonly stream: Stream;
  readonly bytes: Uint8Array;
  /** Where the next one of its stream begins. */
  readonly next: Place;
}

interface OpenLine {
  readonly begins: Place;
  readonly pieces: Uint8Array[];
  length: number;
  lastSeq: number;
}

/** Cuts the output of a process into the lines of each stream. */
export class LineCutter {
  readonly #open = new Map<Stream, OpenLine>();

  /** The lines that end in this chunk, from so many bytes into it. */
  *cut({ seq, stream, bytes }: OutputEvent, skip: number): Generator<Line> {
    let start = skip;
    while (start < bytes.length) {
      const open = this.#open.get(stream) ??
        { begins: { seq, skip: start }, pieces: [], length: 0, lastSeq: seq };
      const newline = bytes.indexOf(NEWLINE, start);
      const room = start + LINE_BYTES - open.length;
      const end = Math.min(newline === -1 ? bytes.length : newline + 1, room);
      open.pieces.push(bytes.subarray(start, end));
      open.length += end - start;
      open.lastSeq = seq;
      start = end;
      if (newline !== end - 1 && open.length < LINE_BYTES) {
        this.#open.set(stream, open);
        return;
      }
      this.#open.delete(stream);
      yield { seq, stream, bytes: joined(open.pieces), next: { seq, skip: start } };
    }
  }

  /** Where the unfinished line of a stream begins, if it has one. */
  begins(stream: Stream): Place | null {
    return this.#open.get(stream)?.begins ?? null;
  }

  /** What is unfinished, as if it were not, in the order in which it began. */
  *rest(): Generator<Line> {
    const open = [...this.#open].sort(([, a], [, b]) => a.begins.seq - b.begins.seq);
    this.#open.clear();
    for (const [stream, { pieces, lastSeq }] of open) {
      yield { seq: lastSeq, stream, bytes: joined(pieces), next: { seq: lastSeq, skip: Infinity } };
    }
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
}

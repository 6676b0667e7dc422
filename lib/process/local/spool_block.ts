import type { OutputEvent, Stream } from "../process_event.ts";

// Output that was put away together: first what it is, an entry for each chunk, then all their bytes.

const STREAMS: readonly Stream[] = ["stdout", "stderr", "pty"];
/** The number of the chunk (8 bytes), its length (4), its stream (4). */
export const ENTRY_BYTES = 16;

export interface Entry {
  readonly seq: number;
  readonly length: number;
  readonly stream: Stream;
}

/** The block as pieces to be written one after the other. */
export function writeBlock(chunks: readonly OutputEvent[]): Uint8Array[] {
  const entries = new DataView(new ArrayBuffer(chunks.length * ENTRY_BYTES));
  for (const [index, { seq, bytes, stream }] of chunks.entries()) {
    const at = index * ENTRY_BYTES;
    entries.setFloat64(at, seq);
    entries.setUint32(at + 8, bytes.length);
    entries.setUint32(at + 12, STREAMS.indexOf(stream));
  }
  return [new Uint8Array(entries.buffer), ...chunks.map(({ bytes }) => bytes)];
}

/** What the chunks of a block are. Throws where it was never written by us. */
export function readEntries(bytes: Uint8Array): Entry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / ENTRY_BYTES }, (_, index) => {
    const at = index * ENTRY_BYTES;
    const stream = STREAMS[view.getUint32(at + 12)];
    if (stream === undefined) throw new Error("The spool holds something that is not ours");
    return { seq: view.getFloat64(at), length: view.getUint32(at + 8), stream };
  });
}

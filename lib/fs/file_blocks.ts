import { inOrder } from "../base/in_order.ts";
import type { OpenFile, Soon } from "./file_system.ts";

/** As much as one message of a far file system carries. */
export const FILE_BLOCK_BYTES = 1024 * 1024;
/** Asked for at the same time: the way there and back is filled up to 80 MB/s at 100 ms, and no more than this is held. */
const BLOCKS_AT_ONCE = 8;

/**
 * An open file from there to its end, in blocks, read ahead of whoever takes them. The last one is the only one that
 * is not full. What is written meanwhile may be seen or not.
 */
export async function* readBlocks(file: OpenFile, offset = 0): AsyncGenerator<Uint8Array> {
  let next = offset;
  const read = () => {
    const from = next;
    next += FILE_BLOCK_BYTES;
    return inTime(() => file.read(from, FILE_BLOCK_BYTES));
  };
  for await (const block of inOrder(BLOCKS_AT_ONCE, read)) {
    if (block.length > 0) yield block;
    if (block.length < FILE_BLOCK_BYTES) return;
  }
}

/**
 * Writes all that comes to an open file from there on, several blocks at the same time, and resolves with their bytes
 * when all of them are written. Takes no more from the source than it can write. What it took must not be changed.
 */
export async function writeBlocks(
  file: OpenFile,
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  offset = 0,
): Promise<number> {
  const going: Promise<void>[] = [];
  let at = offset;
  try {
    for await (const piece of source) {
      for (let from = 0; from < piece.length; from += FILE_BLOCK_BYTES) {
        const block = piece.subarray(from, from + FILE_BLOCK_BYTES);
        if (going.length === BLOCKS_AT_ONCE) await going.shift();
        const written = inTime(() => file.write(at, block));
        written.catch(() => {}); // told when its turn comes
        going.push(written);
        at += block.length;
      }
    }
    while (going.length > 0) await going.shift();
    return at - offset;
  } finally {
    // Whoever closes the file now does so after the last of them.
    await Promise.allSettled(going);
  }
}

/** Begins it now; what it throws at once becomes a rejection. */
function inTime<T>(begin: () => Soon<T>): Promise<T> {
  return new Promise((resolve) => resolve(begin()));
}

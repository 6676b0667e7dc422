import { read } from "node:fs";
import type { OpenFile, Soon } from "../../lib/fs/file_system.ts";
import { asFsError } from "./here_side.ts";

/** What one question asks for: a quarter of what the wire allows. Larger ones are hardly faster, and held for longer. */
export const BLOCK_BYTES = 256 * 1024;
/** Blocks on their way at a time, in each direction: enough to hide a round trip, little enough to hold. */
export const BLOCKS_UNDER_WAY = 6;
/** What goes in one message where there is a word for that, and beside others. */
export const SMALL_FILE_BYTES = 512 * 1024;
/** How long to wait for more of what somebody made non-blocking before it was ours. */
const RETRY_MS = 5;

/** The bytes of a file from there on. `size` is what it is thought to have: no more than that is read ahead. */
export async function* fileBlocks(file: OpenFile, start: number, size: number): AsyncGenerator<Uint8Array> {
  const asked: Promise<Uint8Array>[] = [];
  let next = start;
  const askNext = () => {
    const block = promised(() => file.read(next, BLOCK_BYTES));
    block.catch(() => {}); // told to who waits for it
    asked.push(block);
    next += BLOCK_BYTES;
  };
  try {
    for (;;) {
      if (asked.length === 0) askNext();
      while (asked.length < BLOCKS_UNDER_WAY && next < size) askNext();
      const block = await asked.shift()!;
      if (block.length > 0) yield block;
      // The end as it was; where the file grew meanwhile, what was asked for beyond does not join on.
      if (block.length < BLOCK_BYTES) return;
    }
  } finally {
    await Promise.allSettled(asked);
  }
}

/** What comes out of an open descriptor, as it comes. */
export async function* streamBlocks(fd: number): AsyncGenerator<Uint8Array> {
  for (;;) {
    const buffer = Buffer.allocUnsafeSlow(BLOCK_BYTES);
    let filled = 0;
    let count = 1;
    while (count > 0 && filled < buffer.length) {
      count = await readSome(fd, buffer, filled);
      filled += count;
    }
    if (filled > 0) yield buffer.subarray(0, filled);
    if (count === 0) return;
  }
}

async function readSome(fd: number, into: Buffer, start: number): Promise<number> {
  for (;;) {
    const answer = await new Promise<number | "later">((resolve, reject) => {
      read(fd, into, start, into.length - start, null, (error, count) => {
        if (error === null) resolve(count);
        else if (error.code === "EAGAIN") resolve("later");
        else reject(asFsError(error));
      });
    });
    if (answer !== "later") return answer;
    await Bun.sleep(RETRY_MS);
  }
}

export interface BlockSink {
  write(offset: number, bytes: Uint8Array): Soon<void>;
}

/** Writes what comes, several blocks at a time. Resolves with where it ends, when all is written; waits for all, also to fail. */
export async function carryBlocks(
  blocks: AsyncIterable<Uint8Array>,
  sink: BlockSink,
  start: number,
  onBytes: (count: number) => void,
): Promise<number> {
  const writing: Promise<void>[] = [];
  let position = start;
  try {
    for await (const block of blocks) {
      if (writing.length === BLOCKS_UNDER_WAY) await writing.shift();
      const at = position;
      const written = promised(() => sink.write(at, block)).then(() => onBytes(block.length));
      written.catch(() => {}); // told below
      writing.push(written);
      position += block.length;
    }
    await Promise.all(writing);
    return position;
  } finally {
    await Promise.allSettled(writing);
  }
}

const ZEROS = Buffer.alloc(BLOCK_BYTES);

/** A whole block of zeros is left out of a file: it costs no room there, and no time on the way. */
export function isHole(block: Uint8Array): boolean {
  return block.length === BLOCK_BYTES && ZEROS.equals(block);
}

/** What is thrown at once becomes a rejection, so that there is one way to hear of it. */
async function promised<T>(call: () => Soon<T>): Promise<T> {
  return await call();
}

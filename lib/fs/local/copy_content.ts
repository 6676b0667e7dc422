import { fstatSync } from "node:fs";
import type { GiveUpOptions } from "../file_system.ts";
import { cutFile } from "./cut_file.ts";
import { readLater, writeLater } from "./file_io.ts";
import { stopIfGivenUp } from "./give_up.ts";
import { nextData, punchHole } from "./libc.ts";
import { nextTurn, turnIsOver } from "./turns.ts";
import { writeStream } from "./write_stream.ts";

/** Carried at once, of a file that is not small. */
const BLOCK_BYTES = 1024 * 1024;
/** Old content given back in one go. */
const PUNCHED_BYTES = 8 * 1024 * 1024;

interface ContentOptions extends GiveUpOptions {
  /** What is before it has been copied already. */
  readonly start: number;
}

/**
 * Copies one open file into another, off the main thread, and resolves with where it ends. What is a hole there becomes
 * one here. Where it fails, what stands behind the last byte that was copied is cut off.
 */
export async function copyContent(from: number, to: number, options: ContentOptions): Promise<number> {
  const buffer = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  const oldSize = fstatSync(to).size;
  let position = options.start;
  try {
    for (;;) {
      const data = nextData(from, position);
      const { size } = fstatSync(from);
      const hole = (data?.start ?? size) - position;
      // Where there is something old and it cannot be made a hole, the hole's zeros are copied like anything else.
      const isHollow = hole > 0 && await becomesHole(to, position, hole, oldSize, options);
      if (isHollow) position += hole;
      if (data === null && (isHollow || hole <= 0)) break;
      const end = data?.end ?? size;
      while (position < end) {
        stopIfGivenUp(options);
        const count = await readLater(
          from,
          buffer.subarray(0, Math.min(BLOCK_BYTES, end - position)),
          0,
          position,
        );
        if (count === 0) return position;
        await writeLater(to, buffer.subarray(0, count), position);
        position += count;
      }
    }
    if (position > oldSize) await cutFile(to, oldSize, position); // the hole at its end
    return position;
  } catch (error) {
    await cutFile(to, Math.max(oldSize, position), position);
    throw error;
  }
}

/** false: it cannot be made one. */
async function becomesHole(
  to: number,
  position: number,
  length: number,
  oldSize: number,
  options: GiveUpOptions,
): Promise<boolean> {
  const end = Math.min(position + length, oldSize);
  for (let at = position; at < end; at += PUNCHED_BYTES) {
    stopIfGivenUp(options);
    if (!punchHole(to, at, Math.min(PUNCHED_BYTES, end - at))) return false;
    if (turnIsOver()) await nextTurn();
  }
  return true;
}

/** To a device or a pipe, holes as zeros. */
export async function copyStream(from: number, to: number, options: GiveUpOptions): Promise<void> {
  const buffer = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  for (let position = 0;;) {
    const count = await readLater(from, buffer, 0, position);
    if (count === 0) return;
    await writeStream(to, buffer.subarray(0, count), options);
    position += count;
  }
}

import { closeSync, constants, fchmodSync, fstatSync, ftruncateSync, openSync, type Stats } from "node:fs";
import type { Soon } from "../file_system.ts";
import { reserve } from "./libc.ts";
import { readLater, readNow, SMALL_BYTES, writeLater, writeNow } from "./file_io.ts";
import { now } from "./system_call.ts";
import { nextTurn, turnIsOver } from "./turns.ts";
import { writeStream } from "./write_stream.ts";

const OPEN_SOURCE = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
/** Not emptied on opening: it may be the source. */
const OPEN_DESTINATION = constants.O_WRONLY | constants.O_CREAT | constants.O_NONBLOCK;
/** Carried at once, of a file that is not small. */
const BLOCK_BYTES = 1024 * 1024;
/** Reserved in one go; file systems in memory take their time to fill it with zeros. */
const RESERVED_BYTES = 4 * 1024 * 1024;
/** How the kernel counts the room that a file has. */
const DISK_BLOCK_BYTES = 512;

/** Content and mode of a regular file. A file copied onto itself, by whatever name, stays as it is. */
export function copyFile(source: string | Buffer, destination: string | Buffer): Soon<void> {
  const from = now(() => openSync(source, OPEN_SOURCE));
  let to: number | null = null;
  let done: Soon<void> = undefined;
  try {
    const given = fstatSync(from);
    to = now(() => openSync(destination, OPEN_DESTINATION, given.mode & 0o777));
    done = copyOpened(from, given, to);
  } finally {
    if (!(done instanceof Promise)) closeBoth(from, to);
  }
  return done instanceof Promise ? done.finally(() => closeBoth(from, to)) : done;
}

function closeBoth(from: number, to: number | null): void {
  closeSync(from);
  if (to !== null) closeSync(to);
}

function copyOpened(from: number, given: Stats, to: number): Soon<void> {
  const found = fstatSync(to);
  if (found.ino === given.ino && isSameFile(from, to)) return;
  if (!found.isFile()) return copyToStream(from, to);

  if (found.size > 0 && given.size > found.blocks * DISK_BLOCK_BYTES) {
    return reserveRoom(to, found, given).then(() => copyInPlace(from, given, to));
  }
  now(() => fchmodSync(to, given.mode & 0o777)); // before there is anything to be read
  if (found.size > 0) now(() => ftruncateSync(to));
  if (given.size > SMALL_BYTES) return copyLarge(from, to).then(() => finishMode(given, to));
  const buffer = Buffer.allocUnsafe(Math.max(given.size, 1));
  for (let position = 0;;) {
    const count = readNow(from, buffer, 0, position);
    if (count === 0) return finishMode(given, to);
    writeNow(to, buffer.subarray(0, count), position);
    position += count;
    if (position > SMALL_BYTES) return copyLarge(from, to, position).then(() => finishMode(given, to));
  }
}

/** Writing takes these bits away, so they come last. */
function finishMode(given: Stats, to: number): void {
  if ((given.mode & 0o7000) !== 0) now(() => fchmodSync(to, given.mode & 0o7777));
}

/** A disk that is too full is to be met before an old byte changes. */
async function reserveRoom(to: number, found: Stats, given: Stats): Promise<void> {
  try {
    for (let at = 0; at < given.size; at += RESERVED_BYTES) {
      reserve(to, at, Math.min(RESERVED_BYTES, given.size - at));
      if (turnIsOver()) await nextTurn();
    }
  } catch (error) {
    // Gives back what was reserved beyond the end. It would also look like a change, so only where there is anything.
    if (fstatSync(to).blocks !== found.blocks) now(() => ftruncateSync(to, found.size));
    throw error;
  }
}

/** Writes over the old content: cutting it first would give the reserved room back. */
async function copyInPlace(from: number, given: Stats, to: number): Promise<void> {
  const found = fstatSync(to);
  // While both are in it, only who may read both may read it.
  now(() => fchmodSync(to, found.mode & given.mode & 0o777));
  const end = await copyLarge(from, to);
  now(() => ftruncateSync(to, end));
  now(() => fchmodSync(to, given.mode & 0o7777));
}

/** Asked exactly: some file systems number beyond what a double holds. */
function isSameFile(one: number, other: number): boolean {
  const [a, b] = [fstatSync(one, { bigint: true }), fstatSync(other, { bigint: true })];
  return a.dev === b.dev && a.ino === b.ino;
}

/** Resolves with where it ends. What stands behind a block that could not be written goes. */
async function copyLarge(from: number, to: number, start = 0): Promise<number> {
  const buffer = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  let position = start;
  try {
    for (;;) {
      const count = await readLater(from, buffer, 0, position);
      if (count === 0) return position;
      await writeLater(to, buffer.subarray(0, count), position);
      position += count;
    }
  } catch (error) {
    now(() => ftruncateSync(to, position));
    throw error;
  }
}

async function copyToStream(from: number, to: number): Promise<void> {
  const buffer = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  for (let position = 0;;) {
    const count = await readLater(from, buffer, 0, position);
    if (count === 0) return;
    await writeStream(to, buffer.subarray(0, count));
    position += count;
  }
}

import { closeSync, constants, fchmodSync, fstatSync, ftruncateSync, openSync, type Stats } from "node:fs";
import type { Soon } from "../file_system.ts";
import { readLater, readNow, SMALL_BYTES, writeLater, writeNow } from "./file_io.ts";
import { now } from "./system_call.ts";
import { writeStream } from "./write_stream.ts";

const OPEN_SOURCE = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
/** Not emptied on opening: it may be the source. */
const OPEN_DESTINATION = constants.O_WRONLY | constants.O_CREAT | constants.O_NONBLOCK;
/** Carried at once, of a file that is not small. */
const BLOCK_BYTES = 1024 * 1024;

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

  now(() => fchmodSync(to, given.mode & 0o777)); // before there is anything to be read
  if (found.size > 0) now(() => ftruncateSync(to));
  const finish = () => {
    // Writing takes these bits away, so they come last.
    if ((given.mode & 0o7000) !== 0) now(() => fchmodSync(to, given.mode & 0o7777));
  };
  if (given.size > SMALL_BYTES) return copyLarge(from, to).then(finish);
  const buffer = Buffer.allocUnsafe(Math.max(given.size, 1));
  for (let position = 0;;) {
    const count = readNow(from, buffer, 0, position);
    if (count === 0) return finish();
    writeNow(to, buffer.subarray(0, count), position);
    position += count;
    if (position > SMALL_BYTES) return copyLarge(from, to, position).then(finish);
  }
}

/** Asked exactly: some file systems number beyond what a double holds. */
function isSameFile(one: number, other: number): boolean {
  const [a, b] = [fstatSync(one, { bigint: true }), fstatSync(other, { bigint: true })];
  return a.dev === b.dev && a.ino === b.ino;
}

async function copyLarge(from: number, to: number, start = 0): Promise<void> {
  const buffer = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  for (let position = start;;) {
    const count = await readLater(from, buffer, 0, position);
    if (count === 0) return;
    await writeLater(to, buffer.subarray(0, count), position);
    position += count;
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

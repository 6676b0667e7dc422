import { closeSync, constants, fchmodSync, fstatSync, type Stats } from "node:fs";
import type { GiveUpOptions, Soon } from "../file_system.ts";
import { copyContent, copyStream } from "./copy_content.ts";
import { cutFile } from "./cut_file.ts";
import { readNow, SMALL_BYTES, writeNow } from "./file_io.ts";
import { stopIfGivenUp } from "./give_up.ts";
import { nextData, reserve } from "./libc.ts";
import { type OpenedFile, openOrCreate, removeNew } from "./new_file.ts";
import type { Spot } from "./place.ts";
import { now } from "./system_call.ts";
import { nextTurn, turnIsOver } from "./turns.ts";

const OPEN_SOURCE = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
/** Not emptied on opening: it may be the source. */
const OPEN_DESTINATION = constants.O_WRONLY | constants.O_NONBLOCK;
/** Reserved in one go; file systems in memory take their time to fill it with zeros. */
const RESERVED_BYTES = 4 * 1024 * 1024;
/** How the kernel counts the room that a file has. */
const DISK_BLOCK_BYTES = 512;

/**
 * Content, holes and mode of a regular file. A file copied onto itself, by whatever name, stays as it is. A new file
 * that came to nothing is removed; one that was there keeps what has been written of the new content. Both are to be
 * held until it is done.
 */
export function copyFile(source: Spot, destination: Spot, options: GiveUpOptions): Soon<void> {
  const from = source.open(OPEN_SOURCE);
  let to: OpenedFile | null = null;
  let done: Soon<void> = undefined;
  try {
    const given = fstatSync(from);
    to = openOrCreate(destination.open, OPEN_DESTINATION, given.mode & 0o777);
    done = copyOpened(from, given, to.fd, options);
  } catch (error) {
    if (to?.isNew) void removeNew(destination, to.fd); // it is small
    throw error;
  } finally {
    if (!(done instanceof Promise)) closeBoth(from, to);
  }
  return done instanceof Promise ? ending(done, from, to, destination) : done;
}

async function ending(
  done: Promise<void>,
  from: number,
  to: OpenedFile,
  destination: Spot,
): Promise<void> {
  try {
    await done;
  } catch (error) {
    if (to.isNew) await removeNew(destination, to.fd);
    throw error;
  } finally {
    closeBoth(from, to);
  }
}

function closeBoth(from: number, to: OpenedFile | null): void {
  closeSync(from);
  if (to !== null) closeSync(to.fd);
}

function copyOpened(from: number, given: Stats, to: number, options: GiveUpOptions): Soon<void> {
  const found = fstatSync(to);
  if (found.ino === given.ino && isSameFile(from, to)) return;
  if (!found.isFile()) return copyStream(from, to, options);

  if (found.size > 0 && given.size > found.blocks * DISK_BLOCK_BYTES) {
    return reserveRoom(from, to, found, given, options).then(() => copyInPlace(from, given, to, options));
  }
  now(() => fchmodSync(to, given.mode & 0o777)); // before there is anything to be read
  const emptied = found.size > 0 ? cutFile(to, found.size) : undefined;
  if (emptied instanceof Promise) return emptied.then(() => copyIntoEmpty(from, given, to, options));
  return copyIntoEmpty(from, given, to, options);
}

function copyIntoEmpty(from: number, given: Stats, to: number, options: GiveUpOptions): Soon<void> {
  const copyLarge = (start: number) =>
    copyContent(from, to, { ...options, start }).then(() => finishMode(given, to));
  if (given.size > SMALL_BYTES) return copyLarge(0);
  const buffer = Buffer.allocUnsafe(Math.max(given.size, 1));
  for (let position = 0;;) {
    const count = readNow(from, buffer, 0, position);
    if (count === 0) return finishMode(given, to);
    writeNow(to, buffer.subarray(0, count), position);
    position += count;
    if (position > SMALL_BYTES) return copyLarge(position);
  }
}

/** Writing takes these bits away, so they come last. */
function finishMode(given: Stats, to: number): void {
  if ((given.mode & 0o7000) !== 0) now(() => fchmodSync(to, given.mode & 0o7777));
}

/** A disk that is too full is to be met before an old byte changes. Holes need no room. */
async function reserveRoom(
  from: number,
  to: number,
  found: Stats,
  given: Stats,
  options: GiveUpOptions,
): Promise<void> {
  try {
    for (let at = 0; at < given.size;) {
      const data = nextData(from, at);
      if (data === null) return;
      const end = Math.min(data.end, given.size);
      for (at = data.start; at < end; at += RESERVED_BYTES) {
        stopIfGivenUp(options);
        reserve(to, at, Math.min(RESERVED_BYTES, end - at));
        if (turnIsOver()) await nextTurn();
      }
      at = end;
    }
  } catch (error) {
    // Gives back what was reserved beyond the end. It would also look like a change, so only where there is anything.
    if (fstatSync(to).blocks !== found.blocks) await cutFile(to, found.size + given.size, found.size);
    throw error;
  }
}

/** Writes over the old content: cutting it first would give the reserved room back. */
async function copyInPlace(from: number, given: Stats, to: number, options: GiveUpOptions): Promise<void> {
  const found = fstatSync(to);
  // While both are in it, only who may read both may read it.
  now(() => fchmodSync(to, found.mode & given.mode & 0o777));
  const end = await copyContent(from, to, { ...options, start: 0 });
  await cutFile(to, Math.max(found.size, end), end);
  now(() => fchmodSync(to, given.mode & 0o7777));
}

/** Asked exactly: some file systems number beyond what a double holds. */
function isSameFile(one: number, other: number): boolean {
  const [a, b] = [fstatSync(one, { bigint: true }), fstatSync(other, { bigint: true })];
  return a.dev === b.dev && a.ino === b.ino;
}

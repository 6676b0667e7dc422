import { closeSync, constants, fstatSync, ftruncateSync, type Stats } from "node:fs";
import type { FollowOptions, NativePath, Soon } from "../file_system.ts";
import { cutFile, QUICKLY_CUT_BYTES } from "./cut_file.ts";
import { SMALL_BYTES, writeLater, writeNow } from "./file_io.ts";
import { reserve } from "./libc.ts";
import { checkedPath } from "./native_bytes.ts";
import { type OpenedFile, openOrCreate, removeNew } from "./new_file.ts";
import { withoutFollowing } from "./no_follow.ts";
import type { Place } from "./place.ts";
import { NEW_FILE_MODE, notRegular } from "./read_file.ts";
import { now } from "./system_call.ts";
import { nextTurn, turnIsOver } from "./turns.ts";
import { writeStream } from "./write_stream.ts";

/** Not emptied on opening: a disk that is too full is to be met before the old content is gone, and it is slower. */
const OPEN_TO_WRITE = constants.O_WRONLY | constants.O_NONBLOCK;

/** Reserved in one go; file systems in memory take their time to fill it with zeros. */
const RESERVED_BYTES = 4 * 1024 * 1024;
/** How the kernel counts the room that a file has. */
const BLOCK_BYTES = 512;

/** Replaces the content, and leaves inode, hard links and mode. A new file that came to nothing is removed. */
export function writeFile(
  place: Place,
  path: NativePath,
  bytes: Uint8Array,
  options: FollowOptions = {},
): Soon<void> {
  const file = openFor(place, path, options);
  let done: Soon<void> = undefined;
  try {
    done = writeOpened(file.fd, bytes, options);
  } catch (error) {
    if (file.isNew) void removeAgain(place, path, file.fd, options); // it is small
    throw error;
  } finally {
    if (!(done instanceof Promise)) closeSync(file.fd);
  }
  return done instanceof Promise
    ? ending(done, file, () => removeAgain(place, path, file.fd, options))
    : done;
}

async function ending(
  done: Promise<void>,
  { fd, isNew }: OpenedFile,
  removeIt: () => Soon<void>,
): Promise<void> {
  try {
    await done;
  } catch (error) {
    if (isNew) await removeIt();
    throw error;
  } finally {
    closeSync(fd);
  }
}

function writeOpened(fd: number, bytes: Uint8Array, options: FollowOptions): Soon<void> {
  const before = fstatSync(fd);
  if (before.isFile()) return replaceContent(fd, before, bytes);
  if (options.followSymlinks === false) throw notRegular();
  return writeStream(fd, bytes);
}

function openFor(place: Place, path: NativePath, { followSymlinks = true }: FollowOptions): OpenedFile {
  if (followSymlinks) {
    const checked = checkedPath(path);
    return openOrCreate((flags, mode) => place.open(checked, flags, mode), OPEN_TO_WRITE, NEW_FILE_MODE);
  }
  const flags = OPEN_TO_WRITE | constants.O_NOFOLLOW;
  return withoutFollowing(place, path, (spot) => openOrCreate(spot.open, flags, NEW_FILE_MODE));
}

function removeAgain(
  place: Place,
  path: NativePath,
  fd: number,
  { followSymlinks = true }: FollowOptions,
): Soon<void> {
  if (!followSymlinks) return withoutFollowing(place, path, (spot) => removeNew(spot, fd));
  using spot = place.spot(checkedPath(path));
  return removeNew(spot, fd);
}

function replaceContent(fd: number, before: Stats, bytes: Uint8Array): Soon<void> {
  const needsRoom = before.size > 0 && bytes.length > before.blocks * BLOCK_BYTES;
  const isSlow = bytes.length > SMALL_BYTES || before.size - bytes.length > QUICKLY_CUT_BYTES;
  if (isSlow) return replaceLater(fd, before, bytes, needsRoom);
  try {
    if (needsRoom) reserve(fd, 0, bytes.length);
    writeNow(fd, bytes, 0);
    if (before.size > bytes.length) now(() => ftruncateSync(fd, bytes.length));
  } catch (error) {
    giveBack(fd, before);
    throw error;
  }
}

async function replaceLater(fd: number, before: Stats, bytes: Uint8Array, needsRoom: boolean): Promise<void> {
  try {
    for (let at = 0; needsRoom && at < bytes.length; at += RESERVED_BYTES) {
      reserve(fd, at, Math.min(RESERVED_BYTES, bytes.length - at));
      if (turnIsOver()) await nextTurn();
    }
    await writeLater(fd, bytes, 0);
    if (before.size > bytes.length) await cutFile(fd, before.size, bytes.length);
  } catch (error) {
    await cutFile(fd, Math.max(before.size, bytes.length), before.size);
    throw error;
  }
}

/** What was reserved beyond the end, and all of what has been written of a file that was empty. */
function giveBack(fd: number, before: Stats): void {
  now(() => ftruncateSync(fd, before.size));
}

import { closeSync, constants, fstatSync, ftruncateSync, openSync, type Stats } from "node:fs";
import type { FollowOptions, NativePath, Soon } from "../file_system.ts";
import { SMALL_BYTES, writeLater, writeNow } from "./file_io.ts";
import { reserve } from "./libc.ts";
import { checkedPath } from "./native_bytes.ts";
import { withoutFollowing } from "./no_follow.ts";
import { notRegular } from "./read_file.ts";
import { now } from "./system_call.ts";
import { nextTurn, turnIsOver } from "./turns.ts";
import { writeStream } from "./write_stream.ts";

/** Not emptied on opening: a disk that is too full is to be met before the old content is gone, and it is slower. */
const OPEN_TO_WRITE = constants.O_WRONLY | constants.O_CREAT | constants.O_NONBLOCK;

/** Reserved in one go; file systems in memory take their time to fill it with zeros. */
const RESERVED_BYTES = 4 * 1024 * 1024;
/** How the kernel counts the room that a file has. */
const BLOCK_BYTES = 512;

/** Replaces the content, and leaves inode, hard links and mode. */
export function writeFile(path: NativePath, bytes: Uint8Array, options: FollowOptions = {}): Soon<void> {
  const fd = openFor(path, options);
  let done: Soon<void> = undefined;
  try {
    const before = fstatSync(fd);
    if (before.isFile()) done = replaceContent(fd, before, bytes);
    else if (options.followSymlinks === false) throw notRegular();
    else done = writeStream(fd, bytes);
    if (done instanceof Promise) return done.finally(() => closeSync(fd));
  } finally {
    if (!(done instanceof Promise)) closeSync(fd);
  }
}

function openFor(path: NativePath, { followSymlinks = true }: FollowOptions): number {
  if (followSymlinks) {
    const checked = checkedPath(path);
    return now(() => openSync(checked, OPEN_TO_WRITE, 0o666));
  }
  const flags = OPEN_TO_WRITE | constants.O_NOFOLLOW;
  return withoutFollowing(path, (place) => now(() => openSync(place, flags, 0o666)));
}

function replaceContent(fd: number, before: Stats, bytes: Uint8Array): Soon<void> {
  const needsRoom = before.size > 0 && bytes.length > before.blocks * BLOCK_BYTES;
  if (bytes.length > SMALL_BYTES) return replaceLater(fd, before, bytes, needsRoom);
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
    if (before.size > bytes.length) now(() => ftruncateSync(fd, bytes.length));
  } catch (error) {
    giveBack(fd, before);
    throw error;
  }
}

/** What was reserved beyond the end, and all of what has been written of a file that was empty. */
function giveBack(fd: number, before: Stats): void {
  now(() => ftruncateSync(fd, before.size));
}

import { closeSync, constants, fstatSync } from "node:fs";
import { FsError } from "../fs_error.ts";
import { MAX_READ_FILE_BYTES, type NativePath, type ReadOptions, type Soon } from "../file_system.ts";
import { readLater, readNow, SMALL_BYTES } from "./file_io.ts";
import { checkedPath, shown } from "./native_bytes.ts";
import { withoutFollowing } from "./no_follow.ts";
import type { Place } from "./place.ts";

/** A pipe that nobody writes to must not hold up the opening; it is found out afterwards, and refused. */
export const OPEN_TO_READ = constants.O_RDONLY | constants.O_NONBLOCK;

/** Before the mask that the server was started with. */
export const NEW_FILE_MODE = 0o666;

/** Files that do not know their size, as in /proc, are read in pieces of this. */
const PIECE_BYTES = 64 * 1024;
const LARGEST_PIECE_BYTES = 8 * 1024 * 1024;

export function readFile(place: Place, path: NativePath, options: ReadOptions = {}): Soon<Uint8Array> {
  const { fd, size } = openFor(place, path, options);
  let done: Soon<Uint8Array> | null = null;
  try {
    done = readAll(fd, size, options);
    return done;
  } finally {
    if (!(done instanceof Promise)) closeSync(fd);
  }
}

function openFor(place: Place, path: NativePath, { followSymlinks = true }: ReadOptions): RegularFile {
  if (followSymlinks) {
    const checked = checkedPath(path);
    return openRegular(() => place.open(checked, OPEN_TO_READ), () => notAFile(path));
  }
  const flags = OPEN_TO_READ | constants.O_NOFOLLOW;
  return withoutFollowing(place, path, (spot) => openRegular(() => spot.open(flags), notRegular));
}

export interface RegularFile {
  readonly fd: number;
  readonly size: number;
}

/** Throws what `refusal` says for anything but a regular file. */
export function openRegular(open: () => number, refusal: () => FsError): RegularFile {
  const fd = open();
  const found = fstatSync(fd);
  if (found.isFile()) return { fd, size: found.size };
  closeSync(fd);
  throw refusal();
}

export function notAFile(path: NativePath): FsError {
  return new FsError("refused", `path \`${shown(path)}\` is not a file`);
}

export function notRegular(): FsError {
  return new FsError("refused", "path is not a regular file");
}

function readAll(fd: number, size: number, options: ReadOptions): Soon<Uint8Array> {
  if (size > MAX_READ_FILE_BYTES) throw tooLarge();
  if (size > SMALL_BYTES) return readLarge(fd, size, [], options).finally(() => closeSync(fd));

  // One byte more than it should have shows that it has grown.
  const buffer = Buffer.allocUnsafeSlow(size === 0 ? PIECE_BYTES : size + 1);
  for (let length = 0;;) {
    const count = readNow(fd, buffer, length, length);
    length += count;
    if (count === 0) return buffer.subarray(0, length);
    if (length === buffer.length) {
      return readLarge(fd, length + PIECE_BYTES, [buffer], options).finally(() => closeSync(fd));
    }
  }
}

async function readLarge(
  fd: number,
  expected: number,
  pieces: Buffer[],
  options: ReadOptions,
): Promise<Uint8Array> {
  await options.mayTake?.(expected);
  let length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  let pieceBytes = expected - length + 1;
  for (;;) {
    const piece = Buffer.allocUnsafeSlow(pieceBytes);
    let filled = 0;
    for (let count = 1; count > 0 && filled < piece.length; filled += count) {
      count = await readLater(fd, piece, filled, length + filled);
    }
    length += filled;
    if (length > MAX_READ_FILE_BYTES) throw tooLarge();
    pieces.push(piece.subarray(0, filled));
    if (filled < piece.length) return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces, length);
    pieceBytes = Math.min(Math.max(PIECE_BYTES, length), LARGEST_PIECE_BYTES);
  }
}

function tooLarge(): FsError {
  return new FsError("refused", `file is too large to read: limit is ${MAX_READ_FILE_BYTES} bytes`);
}

import { FFIType, type Pointer, ptr, read } from "bun:ffi";
import { constants } from "node:os";
import { cLibrary } from "../../base/c_library.ts";
import { FsError, systemError } from "../fs_error.ts";

// The system calls for files that the runtime does not offer; opened on first use, and only on Linux.

const SYS_GETDENTS64 = process.arch === "arm64" ? 61 : 217;
const FALLOC_FL_KEEP_SIZE = 1;
const FALLOC_FL_PUNCH_HOLE = 2;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const UTIME_OMIT = 0x3ffffffen;
const IN_CLOEXEC = 0o2000000;
const IN_NONBLOCK = 0o4000;
const IN_MASK_ADD = 0x20000000;

const RWF_NOWAIT = 8;

const libc = cLibrary({
  fallocate: { args: [FFIType.i32, FFIType.i32, FFIType.i64, FFIType.i64], returns: FFIType.i32 },
  lseek: { args: [FFIType.i32, FFIType.i64, FFIType.i32], returns: FFIType.i64_fast },
  syscall: { args: [FFIType.i64, FFIType.i64, FFIType.ptr, FFIType.i64], returns: FFIType.i64_fast },
  inotify_init1: { args: [FFIType.i32], returns: FFIType.i32 },
  inotify_add_watch: { args: [FFIType.i32, FFIType.ptr, FFIType.u32], returns: FFIType.i32 },
  inotify_rm_watch: { args: [FFIType.i32, FFIType.i32], returns: FFIType.i32 },
  futimens: { args: [FFIType.i32, FFIType.ptr], returns: FFIType.i32 },
  utimensat: { args: [FFIType.i32, FFIType.ptr, FFIType.ptr, FFIType.i32], returns: FFIType.i32 },
  __errno_location: { args: [], returns: FFIType.ptr },
});

export const hasLinuxCalls = process.platform === "linux";

const ERRNO_NAMES = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]));

/** Why the last call failed; to be asked at once after it. */
export function lastError(): FsError {
  const number = read.i32(libc().__errno_location() as Pointer, 0);
  return systemError(ERRNO_NAMES.get(number) ?? "EIO");
}

const CANNOT_RESERVE = new Set(["EOPNOTSUPP", "ENOTSUP", "ENOSYS", "EINTR", "EINVAL", "ENODEV"]);

/**
 * Takes the disk's room for this part of an open file, holes included, and leaves its size as it is. Where the
 * file system cannot do that, nothing happens. Throws FsError when there is no room.
 */
export function reserve(fd: number, offset: number, length: number): void {
  if (!hasLinuxCalls || libc().fallocate(fd, FALLOC_FL_KEEP_SIZE, offset, length) === 0) return;
  const error = lastError();
  if (!CANNOT_RESERVE.has(error.errno ?? "")) throw error;
}

/** Where the next bytes that are no hole begin and end; null: only a hole is left, or nothing. */
export function nextData(fd: number, from: number): { readonly start: number; readonly end: number } | null {
  const unknown = { start: from, end: Infinity };
  if (!hasLinuxCalls) return unknown;
  const start = Number(libc().lseek(fd, from, SEEK_DATA));
  if (start < 0) return lastError().errno === "ENXIO" ? null : unknown;
  const end = Number(libc().lseek(fd, start, SEEK_HOLE));
  // Some file systems make their sizes up, as in /proc: there a hole at the very beginning means nothing.
  return end > start ? { start, end } : unknown;
}

/** Makes this part of a file a hole, its size left as it is. false where the file system cannot. */
export function punchHole(fd: number, offset: number, length: number): boolean {
  const mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
  return hasLinuxCalls && libc().fallocate(fd, mode, offset, length) === 0;
}

/** When it was read last, and written last, in milliseconds. null: left as it is. */
export type TimesMs = readonly [accessed: number | null, modified: number];

/** To the millisecond: seconds as doubles, as the runtime takes them, are off by one now and then. */
export function setTimesOf(fd: number, times: TimesMs): void {
  if (libc().futimens(fd, ptr(timespecs(times))) !== 0) throw lastError();
}

export function setTimesAt(path: string | Uint8Array, times: TimesMs, links: "follow" | "itself"): void {
  const flags = links === "follow" ? 0 : AT_SYMLINK_NOFOLLOW;
  const text = Buffer.concat([typeof path === "string" ? Buffer.from(path) : path, Buffer.of(0)]);
  if (libc().utimensat(AT_FDCWD, ptr(text), ptr(timespecs(times)), flags) !== 0) throw lastError();
}

/** The kernel's `struct timespec`, twice: seconds, and nanoseconds from there. */
function timespecs(times: TimesMs): BigInt64Array {
  return new BigInt64Array(times.flatMap((ms) => {
    if (ms === null) return [0n, UTIME_OMIT];
    const seconds = Math.floor(ms / 1000);
    return [BigInt(seconds), BigInt(Math.floor(ms - seconds * 1000)) * 1_000_000n];
  }));
}

const withPreadv2 = cLibrary({
  preadv2: {
    args: [FFIType.i32, FFIType.ptr, FFIType.i32, FFIType.i64, FFIType.i32],
    returns: FFIType.i64_fast,
  },
});

function openPreadv2() {
  if (!hasLinuxCalls) return null;
  try {
    return withPreadv2();
  } catch {
    return null; // younger than some libraries
  }
}

let vectored: ReturnType<typeof openPreadv2> | undefined;

/** As much as is in memory of this part of a file; 0 where that is nothing, or where nobody knows. */
export function readCached(fd: number, into: Uint8Array, position: number): number {
  vectored ??= openPreadv2();
  if (vectored === null) return 0;
  const vector = new BigUint64Array([BigInt(ptr(into)), BigInt(into.length)]);
  return Math.max(0, Number(vectored.preadv2(fd, ptr(vector), 1, position, RWF_NOWAIT)));
}

/** The next entries of an open directory as the kernel writes them; none at its end. */
export function nextEntries(fd: number): Buffer {
  // A fresh buffer per call: the optimiser keeps what it has read of one that is reused.
  const buffer = Buffer.allocUnsafeSlow(32 * 1024);
  const length = Number(libc().syscall(SYS_GETDENTS64, fd, ptr(buffer), buffer.length));
  if (length < 0) throw lastError();
  return buffer.subarray(0, length);
}

export function openInotify(): number {
  const fd = libc().inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (fd < 0) throw lastError();
  return fd;
}

/** Watches for these events too, and answers the number of what is watched. */
export function addInotifyWatch(fd: number, path: Uint8Array, events: number): number {
  const text = new Uint8Array(path.length + 1);
  text.set(path);
  const watch = libc().inotify_add_watch(fd, ptr(text), events | IN_MASK_ADD);
  if (watch < 0) throw lastError();
  return watch;
}

export function removeInotifyWatch(fd: number, watch: number): void {
  libc().inotify_rm_watch(fd, watch); // it fails where what was watched is gone, and with it the watch
}

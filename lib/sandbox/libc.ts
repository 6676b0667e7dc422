import { FFIType, ptr } from "bun:ffi";
import { cLibrary } from "../base/c_library.ts";
import { AT_SYMLINK_NOFOLLOW, O_CLOEXEC } from "./linux.ts";
import { type SyscallName, syscallNumber } from "./numbers.ts";

const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
const MFD_NOEXEC_SEAL = 8;
const MFD_EXEC = 0x10;

const F_ADD_SEALS = 1033;
/** Against more seals, shrinking, growing and writing. */
const ALL_SEALS = 0b1111;

const POLLPRI = 2;

const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;

/** What a sandbox needs of the server and the runtime does not offer; opened on first use. */
const libc = cLibrary({
  memfd_create: { args: [FFIType.ptr, FFIType.u32], returns: FFIType.i32 },
  fcntl: { args: [FFIType.i32, FFIType.i32, FFIType.u64], returns: FFIType.i32 },
  flock: { args: [FFIType.i32, FFIType.i32], returns: FFIType.i32 },
  pipe2: { args: [FFIType.ptr, FFIType.i32], returns: FFIType.i32 },
  syscall: {
    args: [FFIType.i64, FFIType.i64, FFIType.ptr, FFIType.i64, FFIType.i64, FFIType.ptr],
    returns: FFIType.i64_fast,
  },
  poll: { args: [FFIType.ptr, FFIType.u64, FFIType.i32], returns: FFIType.i32 },
});

/**
 * A file without a name, closed in children that are not given it; null where the system will not make one.
 * "program": may be executed, and takes seals.
 */
export function makeMemoryFile(name: string, use: "program" | "data"): number | null {
  const text = Buffer.from(`${name}\0`);
  // Systems that know neither flag do not mind without it; those that know them may insist on one.
  const ways = use === "program"
    ? [MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC, MFD_CLOEXEC | MFD_ALLOW_SEALING]
    : [MFD_CLOEXEC | MFD_NOEXEC_SEAL, MFD_CLOEXEC];
  for (const flags of ways) {
    const fd = libc().memfd_create(ptr(text), flags);
    if (fd >= 0) return fd;
  }
  return null;
}

/** From now on nobody changes what is in it, whoever gets hold of it. */
export function seal(fd: number): boolean {
  return libc().fcntl(fd, F_ADD_SEALS, ALL_SEALS) === 0;
}

/** A pipe, closed in children that are not given it; null where there are too many open files. */
export function makeStatusPipe(): { readEnd: number; writeEnd: number } | null {
  // A fresh array per call: the optimiser keeps the old elements of one that is reused.
  const ends = new Int32Array(2);
  if (libc().pipe2(ptr(ends), O_CLOEXEC) !== 0) return null;
  return { readEnd: ends[0]!, writeEnd: ends[1]! };
}

/** Never waits. A lock belongs to the descriptor, and ends with it or with its process. */
export function tryLock(fd: number, kind: "shared" | "exclusive"): boolean {
  return libc().flock(fd, (kind === "shared" ? LOCK_SH : LOCK_EX) | LOCK_NB) === 0;
}

/** Whether something out of the ordinary is to be told of it: of a list of mounts, that it has changed. Never waits. */
export function hasNews(fd: number): boolean {
  return libc().poll(ptr(Int32Array.of(fd, POLLPRI)), 1n, 0) !== 0;
}

export interface Standing {
  /** On which mount it is; every mount of the machine has a number of its own. */
  readonly mount: bigint;
  readonly modifiedAtSeconds: bigint;
}

const STATX_MNT_ID = 0x1000;
const STATX_MTIME = 0x40;
/** Where the words of a statx are, counted in eights: the mask, the time of last change and the mount. */
const STATX = { words: 32, mask: 0, modified: 14, mount: 18 } as const;
const QUIETLY = AT_SYMLINK_NOFOLLOW | 0x800 | 0x4000; // mounts nothing, and asks no server

/** What stands at a path, below a directory where it is relative. null where nothing can be seen. */
export function standingAt(directory: number, path: Uint8Array): Standing | null {
  const found = new BigUint64Array(STATX.words);
  const wanted = STATX_MNT_ID | STATX_MTIME;
  if (Number(libc().syscall(numberOf("statx"), directory, ptr(path), QUIETLY, wanted, ptr(found))) !== 0) {
    return null;
  }
  if ((Number(found[STATX.mask]! & 0xffff_ffffn) & wanted) !== wanted) return null;
  return { mount: found[STATX.mount]!, modifiedAtSeconds: BigInt.asIntN(64, found[STATX.modified]!) };
}

/** So many bytes of a directory are little work, and hold some hundred names. */
const LISTED_BYTES = 16 * 1024;

/** The next names of an open directory, as the kernel writes them down; null where it does not tell. */
export function listedNext(directory: number): Buffer | null {
  const block = Buffer.allocUnsafeSlow(LISTED_BYTES);
  const length = Number(
    libc().syscall(numberOf("getdents64"), directory, ptr(block), LISTED_BYTES, 0, ptr(block)),
  );
  return length < 0 ? null : block.subarray(0, length);
}

function numberOf(name: SyscallName): number {
  return syscallNumber(name, process.arch === "arm64" ? "arm64" : "x64");
}

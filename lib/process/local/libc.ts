import { FFIType, ptr } from "bun:ffi";
import { constants } from "node:os";
import { cLibrary } from "../../base/c_library.ts";

/** The system calls that the runtime does not offer; opened on first use. */
const O_CLOEXEC = 0o2000000;
const TCXONC = 0x540a;
const TCOOFF = 0;
const TCOON = 1;
const RLIMIT_NOFILE = 7;
const RLIMIT_LOCKS = 10;
const PR_SET_CHILD_SUBREAPER = 36;
const WNOHANG = 1;
const F_SETPIPE_SZ = 1031;
const LOCK_EX = 2;
const LOCK_NB = 4;

const libc = cLibrary({
  pipe2: { args: [FFIType.ptr, FFIType.i32], returns: FFIType.i32 },
  ioctl: { args: [FFIType.i32, FFIType.u64, FFIType.u64], returns: FFIType.i32 },
  prlimit: { args: [FFIType.i32, FFIType.i32, FFIType.ptr, FFIType.ptr], returns: FFIType.i32 },
  fcntl: { args: [FFIType.i32, FFIType.i32, FFIType.u64], returns: FFIType.i32 },
  flock: { args: [FFIType.i32, FFIType.i32], returns: FFIType.i32 },
  prctl: {
    args: [FFIType.i32, FFIType.u64, FFIType.u64, FFIType.u64, FFIType.u64],
    returns: FFIType.i32,
  },
  waitpid: { args: [FFIType.i32, FFIType.ptr, FFIType.i32], returns: FFIType.i32 },
});

/**
 * A real pipe. The runtime's own "pipe" is a socketpair, on which `echo x >/dev/stderr` fails in the child.
 * Both ends are closed in children that are not given them.
 */
export function makePipe(): { readEnd: number; writeEnd: number } {
  // A fresh array per call: the optimiser keeps the old elements of one that is reused.
  const ends = new Int32Array(2);
  if (libc().pipe2(ptr(ends), O_CLOEXEC) !== 0) throw new SystemLimit("too many open files");
  return { readEnd: ends[0]!, writeEnd: ends[1]! };
}

/** Lets a pipe hold so much, so that a writer waits no longer. False where the system refuses. */
export function growPipe(fd: number, bytes: number): boolean {
  return libc().fcntl(fd, F_SETPIPE_SZ, bytes) !== -1;
}

/** Locks an open file for us alone, until it is closed or we are gone. False where somebody else has locked it. */
export function tryLock(fd: number): boolean {
  return libc().flock(fd, LOCK_EX | LOCK_NB) === 0;
}

/** Lowers or raises our own soft limit, up to the hard one. Gives what it was; null where it stays as it is. */
export function setSoftDescriptorLimit(soft: number): number | null {
  const [now, wanted] = [new BigUint64Array(2), new BigUint64Array(2)];
  if (libc().prlimit(0, RLIMIT_NOFILE, null, ptr(now)) !== 0) return null;
  [wanted[0], wanted[1]] = [BigInt(soft), now[1]!];
  if (wanted[0]! > wanted[1]!) return null;
  return libc().prlimit(0, RLIMIT_NOFILE, ptr(wanted), null) === 0 ? Number(now[0]) : null;
}

let lockLimit: BigUint64Array | null = null;

/** Our own limit on file locks, soft and hard; null where it cannot be told. */
function inheritedLockLimit(): BigUint64Array | null {
  if (lockLimit !== null) return lockLimit;
  const now = new BigUint64Array(2);
  return libc().prlimit(0, RLIMIT_LOCKS, null, ptr(now)) === 0 ? (lockLimit = now) : null;
}

/** Whoever started us may have marked us; null where that cannot be told. */
export function softLockLimit(): bigint | null {
  return inheritedLockLimit()?.[0] ?? null;
}

/**
 * Changes our soft limit on file locks, which children inherit and which no kernel since 2.6 looks at. null restores what
 * we were started with. False where the system refuses.
 */
export function setSoftLockLimit(soft: bigint | null): boolean {
  const before = inheritedLockLimit();
  if (before === null || (soft !== null && soft > before[1]!)) return false;
  const wanted = new BigUint64Array([soft ?? before[0]!, before[1]!]);
  return libc().prlimit(0, RLIMIT_LOCKS, ptr(wanted), null) === 0;
}

/** From now on whoever loses his parents below us becomes our child. False where the system does not know that. */
export function adoptOrphans(): boolean {
  return libc().prctl(PR_SET_CHILD_SUBREAPER, 1n, 0n, 0n, 0n) === 0;
}

/** Lets go of a child that has ended. Does not wait for one that lives. */
export function reap(pid: number): void {
  libc().waitpid(pid, null, WNOHANG);
}

/** The system is out of something; `errno` as the spawn errors of the runtime carry it. */
export class SystemLimit extends Error {
  readonly errno = -constants.errno.EMFILE;
  readonly code = "EMFILE";
}

/** Stops or lets go on what is printed on a terminal, as Ctrl-S and Ctrl-Q would. */
export function setTerminalFlow(slave: number, flow: "stop" | "go"): void {
  libc().ioctl(slave, TCXONC, flow === "stop" ? TCOOFF : TCOON);
}

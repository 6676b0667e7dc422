import { dlopen, FFIType, ptr } from "bun:ffi";
import { constants } from "node:os";

/** The system calls that the runtime does not offer; opened on first use. */
const O_CLOEXEC = 0o2000000;
const TCXONC = 0x540a;
const TCOOFF = 0;
const TCOON = 1;
const RLIMIT_NOFILE = 7;
const F_SETPIPE_SZ = 1031;

function open() {
  const symbols = {
    pipe2: { args: [FFIType.ptr, FFIType.i32], returns: FFIType.i32 },
    ioctl: { args: [FFIType.i32, FFIType.u64, FFIType.u64], returns: FFIType.i32 },
    prlimit: { args: [FFIType.i32, FFIType.i32, FFIType.ptr, FFIType.ptr], returns: FFIType.i32 },
    fcntl: { args: [FFIType.i32, FFIType.i32, FFIType.u64], returns: FFIType.i32 },
  } as const;
  try {
    return dlopen("libc.so.6", symbols).symbols;
  } catch {
    // musl carries the machine's name in the library's.
    return dlopen(`libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`, symbols).symbols;
  }
}

let library: ReturnType<typeof open> | undefined;
const libc = () => (library ??= open());

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

/** Lowers or raises our own soft limit, up to the hard one. Gives what it was; null where it stays as it is. */
export function setSoftDescriptorLimit(soft: number): number | null {
  const [now, wanted] = [new BigUint64Array(2), new BigUint64Array(2)];
  if (libc().prlimit(0, RLIMIT_NOFILE, null, ptr(now)) !== 0) return null;
  [wanted[0], wanted[1]] = [BigInt(soft), now[1]!];
  if (wanted[0]! > wanted[1]!) return null;
  return libc().prlimit(0, RLIMIT_NOFILE, ptr(wanted), null) === 0 ? Number(now[0]) : null;
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

import { FFIType, ptr } from "bun:ffi";
import type { FsError } from "../fs_error.ts";
import { cLibrary } from "../../base/c_library.ts";
import { lastError } from "./libc.ts";
import { byteString } from "./native_bytes.ts";
import type { SystemPath } from "./place.ts";

const SYS_OPENAT2 = 437; // on every machine
const HOW_BYTES = 24;
const O_CLOEXEC = 0o2000000;
const O_CREAT = 0o100;

/** What the kernel does on its way, beside what a plain open does. */
export const RESOLVE = { noMounts: 1, noMagicLinks: 2, noLinks: 4, inRoot: 16 } as const;

/** The kernel gives up on `..` while somebody renames directories, anywhere. */
const TRIES = 1_000;

const libc = cLibrary({
  syscall: {
    args: [FFIType.i64, FFIType.i64, FFIType.ptr, FFIType.ptr, FFIType.i64],
    returns: FFIType.i64_fast,
  },
});

/** The descriptor, or why there is none. Of no interest to children. */
export function openAt2(
  directory: number,
  path: SystemPath,
  flags: number,
  mode: number,
  resolve: number,
): number | FsError {
  const text = Buffer.from(`${byteString(path)}\0`, "latin1");
  // The kernel minds a mode that it has no use for.
  const how = BigUint64Array.of(
    BigInt(flags | O_CLOEXEC),
    BigInt((flags & O_CREAT) === 0 ? 0 : mode),
    BigInt(resolve),
  );
  for (let tries = 1;; tries++) {
    const fd = Number(libc().syscall(SYS_OPENAT2, directory, ptr(text), ptr(how), HOW_BYTES));
    if (fd >= 0) return fd;
    const error = lastError();
    const isPassing = error.errno === "EAGAIN" || error.errno === "EINTR";
    if (!isPassing || tries === TRIES) return error;
  }
}

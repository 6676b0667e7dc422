import { constants } from "node:os";

/** The system's own words for the errors that users meet; the C library is not asked, so that musl says the same. */
const TEXTS: Readonly<Record<string, string>> = {
  E2BIG: "Argument list too long",
  EACCES: "Permission denied",
  EADDRINUSE: "Address in use",
  EADDRNOTAVAIL: "Address not available",
  EAGAIN: "Resource temporarily unavailable",
  EBADF: "Bad file descriptor",
  EBUSY: "Resource busy",
  ECONNREFUSED: "Connection refused",
  ECONNRESET: "Connection reset by peer",
  EDQUOT: "Quota exceeded",
  EEXIST: "File exists",
  EFBIG: "File too large",
  EHOSTUNREACH: "Host is unreachable",
  EINTR: "Interrupted system call",
  EINVAL: "Invalid argument",
  EIO: "I/O error",
  EISDIR: "Is a directory",
  ELOOP: "Symbolic link loop",
  EMFILE: "Too many open files",
  EMLINK: "Too many links",
  ENAMETOOLONG: "File name too long",
  ENETUNREACH: "Network unreachable",
  ENFILE: "Too many open files in system",
  ENODEV: "No such device",
  ENOENT: "No such file or directory",
  ENOEXEC: "Exec format error",
  ENOMEM: "Out of memory",
  ENOSPC: "No space left on device",
  ENOTDIR: "Not a directory",
  ENOTEMPTY: "Directory not empty",
  ENOTSUP: "Not supported",
  ENXIO: "No such device or address",
  EOPNOTSUPP: "Not supported",
  EOVERFLOW: "Value too large for data type",
  EPERM: "Operation not permitted",
  EPIPE: "Broken pipe",
  EROFS: "Read-only file system",
  ESPIPE: "Invalid seek",
  ESRCH: "No such process",
  ESTALE: "Stale file handle",
  ETIMEDOUT: "Operation timed out",
  ETXTBSY: "Text file busy",
  EXDEV: "Cross-device link",
};

/** `ENOENT` → `No such file or directory (os error 2)`, as Codex words it. */
export function osErrorText(code: string): string {
  const number = (constants.errno as Record<string, number>)[code];
  const text = TEXTS[code] ?? code;
  return number === undefined ? text : `${text} (os error ${number})`;
}

/** The system's name for what went wrong (`ENOENT`), where the error carries one. */
export function osErrorCode(error: unknown): string | null {
  const code = error instanceof Error && "code" in error ? error.code : null;
  return typeof code === "string" && /^E[A-Z0-9]+$/.test(code) ? code : null;
}

/** What went wrong in the system's words, or in the error's own where the system had no part in it. */
export function osErrorWords(error: unknown): string {
  const code = osErrorCode(error);
  if (code !== null) return osErrorText(code);
  return error instanceof Error ? error.message : String(error);
}

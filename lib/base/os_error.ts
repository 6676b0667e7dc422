import { constants } from "node:os";

/** The system's own words for the errors that users meet; the C library is not asked, so that musl says the same. */
const TEXTS: Readonly<Record<string, string>> = {
  E2BIG: "Argument list too long",
  EACCES: "Permission denied",
  EAGAIN: "Resource temporarily unavailable",
  EADDRINUSE: "Address in use",
  EADDRNOTAVAIL: "Address not available",
  EBUSY: "Resource busy",
  EEXIST: "File exists",
  EINVAL: "Invalid argument",
  EIO: "I/O error",
  EISDIR: "Is a directory",
  ELOOP: "Too many levels of symbolic links",
  EMFILE: "Too many open files",
  ENAMETOOLONG: "File name too long",
  ENFILE: "Too many open files in system",
  ENOENT: "No such file or directory",
  ENOEXEC: "Exec format error",
  ENOMEM: "Out of memory",
  ENOTDIR: "Not a directory",
  EPERM: "Operation not permitted",
  ETXTBSY: "Text file busy",
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

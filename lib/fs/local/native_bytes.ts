import { FsError } from "../fs_error.ts";
import type { NativePath } from "../file_system.ts";

// A byte string holds one byte a character, so that names of any bytes can be joined, sorted and compared as text.

export type ByteString = string & { readonly byteString: true };

const NOT_ASCII = /[^\0-\x7f]/;

export function byteString(path: NativePath): ByteString {
  if (typeof path === "string" && !NOT_ASCII.test(path)) return path as ByteString;
  return asBuffer(path).toString("latin1") as ByteString;
}

/** As node:fs takes it. */
export function pathOf(bytes: string): string | Buffer {
  return NOT_ASCII.test(bytes) ? Buffer.from(bytes, "latin1") : bytes;
}

/** As the promise has it: text where it is UTF-8. */
export function nativeOf(bytes: string): NativePath {
  if (!NOT_ASCII.test(bytes)) return bytes;
  const buffer = Buffer.from(bytes, "latin1");
  const text = buffer.toString("utf8");
  return text.includes("\u{fffd}") ? buffer : text;
}

/** A caller's path, as node:fs takes it. Throws FsError for a NUL, which no path of this system holds. */
export function checkedPath(path: NativePath): string | Buffer {
  if (typeof path === "string") {
    if (path.includes("\0")) throw nulByte();
    return path;
  }
  if (path.includes(0)) throw nulByte();
  return asBuffer(path);
}

function asBuffer(path: NativePath): Buffer {
  return typeof path === "string"
    ? Buffer.from(path)
    : Buffer.from(path.buffer, path.byteOffset, path.length);
}

function nulByte(): FsError {
  return new FsError("refused", "file name contained an unexpected NUL byte");
}

/** For people: what is no UTF-8 is shown as such. */
export function shown(path: NativePath): string {
  return typeof path === "string" ? path : asBuffer(path).toString("utf8");
}

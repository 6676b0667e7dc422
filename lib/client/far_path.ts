import { isUtf8 } from "node:buffer";
import type { NativePath } from "../fs/file_system.ts";
import { FsError } from "../fs/fs_error.ts";
import { DecodeError } from "../wire/decode_error.ts";
import { FileUriError, fileUriFromPath, parseFileUri } from "../wire/file_uri.ts";
import { encodeNativeBytes } from "../wire/percent_code.ts";

/** Dots, which a URI would resolve without looking at links, and a first name that it would take for a drive. */
const READ_OTHERWISE = /\/\.{1,2}(?:\/|$)|^\/+[a-z]:(?:\/|$)/i;

/**
 * The path as the wire names it, so that the far system is asked for exactly that. (Codex resolves dots all the same.)
 * Throws an FsError.
 */
export function uriOf(path: NativePath): string {
  const bytes = Buffer.from(path as string);
  const text = bytes.toString("latin1");
  // Slashes written like this are seen by the far system only.
  if (READ_OTHERWISE.test(text) && text.startsWith("/") && !text.includes("\0")) {
    return `file:///${encodeNativeBytes(bytes).replaceAll("/", "%2F")}`;
  }
  try {
    return fileUriFromPath(bytes).href;
  } catch (error) {
    if (error instanceof FileUriError) throw new FsError("refused", error.message);
    throw error;
  }
}

/** The path that the wire names. Throws a DecodeError. */
export function pathIn(uri: string): NativePath {
  try {
    return nativeOf(parseFileUri(uri).toPosixBytes());
  } catch (error) {
    if (error instanceof FileUriError) throw new DecodeError(error.message);
    throw error;
  }
}

/** Text where it is UTF-8, else the bytes. */
export function nativeOf(bytes: Uint8Array): NativePath {
  return isUtf8(bytes) ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString() : bytes;
}

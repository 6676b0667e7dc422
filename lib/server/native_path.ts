import type { NativePath } from "../fs/file_system.ts";
import { type FileUri, FileUriError, parseFileUri } from "../wire/file_uri.ts";
import { INVALID_PARAMS, INVALID_REQUEST, WireError } from "../wire/wire_error.ts";

/** The directory that a start names, as a path of this machine: text where it is UTF-8, else its bytes. */
export function nativeDirectory(uri: string): string | Uint8Array {
  const parsed = parse(uri);
  try {
    return textOrBytes(parsed);
  } catch (error) {
    if (!(error instanceof FileUriError)) throw error;
    throw new WireError(
      INVALID_PARAMS,
      `cwd URI \`${parsed.href}\` is not valid on this exec-server host: ${error.message}`,
    );
  }
}

/** The path of this machine that a file call names. */
export function nativePath(uri: FileUri): NativePath {
  try {
    return textOrBytes(uri);
  } catch (error) {
    if (!(error instanceof FileUriError)) throw error;
    throw new WireError(INVALID_REQUEST, error.message);
  }
}

function textOrBytes(uri: FileUri): NativePath {
  const bytes = uri.toPosixBytes();
  const text = new TextDecoder().decode(bytes);
  return text.includes("\u{fffd}") ? bytes : text;
}

function parse(uri: string) {
  try {
    return parseFileUri(uri);
  } catch (error) {
    if (!(error instanceof FileUriError)) throw error;
    throw new WireError(INVALID_PARAMS, error.message);
  }
}

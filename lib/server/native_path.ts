import { FileUriError, parseFileUri } from "../wire/file_uri.ts";
import { INVALID_PARAMS, WireError } from "../wire/wire_error.ts";

/** The directory that a start names, as a path of this machine: text where it is UTF-8, else its bytes. */
export function nativeDirectory(uri: string): string | Uint8Array {
  const parsed = parse(uri);
  try {
    const bytes = parsed.toPosixBytes();
    const text = new TextDecoder().decode(bytes);
    return text.includes("\u{fffd}") ? bytes : text;
  } catch (error) {
    if (!(error instanceof FileUriError)) throw error;
    throw new WireError(
      INVALID_PARAMS,
      `cwd URI \`${parsed.href}\` is not valid on this exec-server host: ${error.message}`,
    );
  }
}

function parse(uri: string) {
  try {
    return parseFileUri(uri);
  } catch (error) {
    if (!(error instanceof FileUriError)) throw error;
    throw new WireError(INVALID_PARAMS, error.message);
  }
}

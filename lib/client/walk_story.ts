import type { NativePath, WalkSink, WalkSummary } from "../fs/file_system.ts";
import { DecodeError } from "../wire/decode_error.ts";
import { FileUriError, parseFileUri } from "../wire/file_uri.ts";
import type { WalkResult } from "../wire/fs_messages.ts";
import { decodePercent } from "../wire/percent_code.ts";
import { nativeOf } from "./far_path.ts";

/** Tells what a walk of a server has found, by paths seen from the root that it was given. Throws a DecodeError. */
export function tellWalk(
  root: string,
  { entries, errors, truncated }: WalkResult,
  sink: WalkSink,
): WalkSummary {
  const below = (uri: string): NativePath => {
    const path = pathBelow(root, uri) ?? pathBelow(root, canonical(uri));
    if (path === null) throw new DecodeError(`a walk of ${root} found ${uri}`);
    return path.includes("%") ? nativeOf(decodePercent(path)) : path;
  };
  for (const { path, kind } of entries) {
    if (!sink({ path: below(path), kind })) return { truncated: true };
  }
  for (const { path, message } of errors) {
    if (!sink({ path: below(path), kind: "error", message })) return { truncated: true };
  }
  return { truncated };
}

/** Still encoded, empty for the root itself; null for what is not below it. */
function pathBelow(root: string, uri: string): string | null {
  if (uri === root) return "";
  const prefix = root.endsWith("/") ? root : `${root}/`;
  return uri.startsWith(prefix) ? uri.slice(prefix.length) : null;
}

function canonical(uri: string): string {
  try {
    return parseFileUri(uri).href;
  } catch (error) {
    if (error instanceof FileUriError) throw new DecodeError(error.message);
    throw error;
  }
}

import type { NativePath, WalkSink, WalkSummary } from "../fs/file_system.ts";
import { DecodeError } from "../wire/decode_error.ts";
import type { WalkResult } from "../wire/fs_messages.ts";
import { decodePercent } from "../wire/percent_code.ts";
import { nativeOf } from "./far_path.ts";

/** Tells what a walk of a server has found, by paths seen from its root. Throws a DecodeError. */
export function tellWalk(
  root: string,
  { entries, errors, truncated }: WalkResult,
  sink: WalkSink,
): WalkSummary {
  const prefix = root.endsWith("/") ? root : `${root}/`;
  const below = (uri: string): NativePath => {
    if (uri === root) return "";
    if (!uri.startsWith(prefix)) throw new DecodeError(`a walk of ${root} found ${uri}`);
    const path = uri.slice(prefix.length);
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

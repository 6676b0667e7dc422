import { lstatSync, type Stats, statSync } from "node:fs";
import type { FileMetadata, FollowOptions, NativePath } from "../file_system.ts";
import { FsError } from "../fs_error.ts";
import { checkedPath } from "./native_bytes.ts";
import { namesOf, withoutFollowing } from "./no_follow.ts";
import { now } from "./system_call.ts";

export function getMetadata(path: NativePath, { followSymlinks = true }: FollowOptions = {}): FileMetadata {
  if (!followSymlinks && namesOf(path).length > 0) {
    const found = withoutFollowing(path, refusingLink);
    return {
      ...kindOf(found, false),
      createdAtMs: whole(found.birthtimeMs),
      modifiedAtMs: whole(found.mtimeMs),
    };
  }
  const checked = checkedPath(path);
  const here = now(() => lstatSync(checked));
  const target = here.isSymbolicLink() ? now(() => statSync(checked)) : here;
  return {
    ...kindOf(target, here.isSymbolicLink()),
    // Times before 1970 are told only to who follows no links, as Codex does.
    createdAtMs: Math.max(0, whole(target.birthtimeMs)),
    modifiedAtMs: Math.max(0, whole(target.mtimeMs)),
  };
}

/** What is at the place itself. Throws FsError for a link. */
export function refusingLink(place: string | Buffer): Stats {
  const found = now(() => lstatSync(place));
  if (found.isSymbolicLink()) throw new FsError("refused", "path contains a symbolic link");
  return found;
}

function kindOf(
  found: Stats,
  isSymlink: boolean,
): Pick<FileMetadata, "isDirectory" | "isFile" | "isSymlink" | "size"> {
  return { isDirectory: found.isDirectory(), isFile: found.isFile(), isSymlink, size: found.size };
}

function whole(ms: number): number {
  return Math.floor(ms);
}

import { lstatSync, readlinkSync, type Stats, statSync } from "node:fs";
import type { FileMetadata, MetadataOptions, MoreMetadata, NativePath } from "../file_system.ts";
import { checkedPath, nativeOf } from "./native_bytes.ts";
import { namesOf, refusedLink, withoutFollowing } from "./no_follow.ts";
import { now } from "./system_call.ts";

export function getMetadata(path: NativePath, options: MetadataOptions = {}): FileMetadata {
  const { followSymlinks = true, itself = false } = options;
  if (!followSymlinks && namesOf(path).length > 0) {
    return withoutFollowing(path, (place) => {
      const found = itself ? now(() => lstatSync(place)) : refusingLink(place);
      return itselfAt(place, found);
    });
  }
  const checked = checkedPath(path);
  const here = now(() => lstatSync(checked));
  if (itself) return itselfAt(checked, here);
  const isSymlink = here.isSymbolicLink();
  const target = isSymlink ? now(() => statSync(checked)) : here;
  return {
    ...kindOf(target, isSymlink),
    // Times before 1970 are told only to who follows no links, as Codex does.
    createdAtMs: Math.max(0, whole(target.birthtimeMs)),
    modifiedAtMs: Math.max(0, whole(target.mtimeMs)),
    more: moreOf(target, () => statSync(checked, EXACT), isSymlink ? linkTarget(checked) : null),
  };
}

/** What is at the place itself. Throws FsError for a link. */
export function refusingLink(place: string | Buffer): Stats {
  const found = now(() => lstatSync(place));
  if (found.isSymbolicLink()) throw refusedLink();
  return found;
}

function itselfAt(place: string | Buffer, found: Stats): FileMetadata {
  const isSymlink = found.isSymbolicLink();
  return {
    ...kindOf(found, isSymlink),
    createdAtMs: whole(found.birthtimeMs),
    modifiedAtMs: whole(found.mtimeMs),
    more: moreOf(found, () => lstatSync(place, EXACT), isSymlink ? linkTarget(place) : null),
  };
}

function kindOf(
  found: Stats,
  isSymlink: boolean,
): Pick<FileMetadata, "isDirectory" | "isFile" | "isSymlink" | "size"> {
  return { isDirectory: found.isDirectory(), isFile: found.isFile(), isSymlink, size: found.size };
}

const EXACT = { bigint: true } as const;

function moreOf(
  found: Stats,
  exactly: () => { readonly dev: bigint; readonly ino: bigint },
  linkTarget: NativePath | null,
): MoreMetadata {
  // Some file systems number beyond what a double holds.
  const isExact = Number.isSafeInteger(found.dev) && Number.isSafeInteger(found.ino);
  const { dev, ino } = isExact ? found : now(exactly);
  return {
    mode: found.mode & 0o7777,
    links: found.nlink,
    identity: `${dev}:${ino}`,
    accessedAtMs: whole(found.atimeMs),
    linkTarget,
  };
}

function linkTarget(place: string | Buffer): NativePath {
  return nativeOf(now(() => readlinkSync(place, { encoding: "buffer" })).toString("latin1"));
}

function whole(ms: number): number {
  return Math.floor(ms);
}

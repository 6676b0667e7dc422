import { lstatSync, readlinkSync, type Stats, statSync } from "node:fs";
import type { FileMetadata, MetadataOptions, MoreMetadata, NativePath } from "../file_system.ts";
import { checkedPath, nativeOf } from "./native_bytes.ts";
import { namesOf, refusedLink, withoutFollowing } from "./no_follow.ts";
import type { Named, Place, SystemPath } from "./place.ts";
import { now } from "./system_call.ts";

export function getMetadata(place: Place, path: NativePath, options: MetadataOptions = {}): FileMetadata {
  const { followSymlinks = true, itself = false } = options;
  if (!followSymlinks && namesOf(path).length > 0) {
    return withoutFollowing(place, path, (spot) => {
      const found = itself ? now(() => lstatSync(spot.path)) : refusingLink(spot);
      return itselfAt(spot, found);
    });
  }
  const checked = checkedPath(path);
  using spot = place.spot(checked);
  const here = now(() => lstatSync(spot.path));
  if (itself) return itselfAt(spot, here);
  if (!here.isSymbolicLink()) return targetAt(spot, here, null);
  using target = place.target(checked);
  return targetAt(target, now(() => statSync(target.path)), linkTarget(spot.path));
}

function targetAt({ path }: Named, found: Stats, linkTarget: NativePath | null): FileMetadata {
  return {
    ...kindOf(found, linkTarget !== null),
    // Times before 1970 are told only to who follows no links, as Codex does.
    createdAtMs: Math.max(0, whole(found.birthtimeMs)),
    modifiedAtMs: Math.max(0, whole(found.mtimeMs)),
    more: moreOf(found, () => statSync(path, EXACT), linkTarget),
  };
}

/** What is at the place itself. Throws FsError for a link. */
export function refusingLink({ path }: Named): Stats {
  const found = now(() => lstatSync(path));
  if (found.isSymbolicLink()) throw refusedLink();
  return found;
}

function itselfAt({ path }: Named, found: Stats): FileMetadata {
  const isSymlink = found.isSymbolicLink();
  return {
    ...kindOf(found, isSymlink),
    createdAtMs: whole(found.birthtimeMs),
    modifiedAtMs: whole(found.mtimeMs),
    more: moreOf(found, () => lstatSync(path, EXACT), isSymlink ? linkTarget(path) : null),
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
    changedAtMs: whole(found.ctimeMs),
    linkTarget,
  };
}

function linkTarget(path: SystemPath): NativePath {
  return nativeOf(now(() => readlinkSync(path, { encoding: "buffer" })).toString("latin1"));
}

function whole(ms: number): number {
  return Math.floor(ms);
}

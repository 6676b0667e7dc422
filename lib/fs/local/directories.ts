import { lstatSync, mkdirSync, statSync } from "node:fs";
import { FsError } from "../fs_error.ts";
import {
  type CreateDirectoryOptions,
  type DirectoryEntry,
  type FileMetadata,
  MAX_DIRECTORY_ENTRIES,
  type NativePath,
  type ReadDirectoryOptions,
} from "../file_system.ts";
import { listDirectory, type ListedEntry } from "./list_directory.ts";
import { HeldDirectory } from "./held_directory.ts";
import { getMetadata } from "./metadata.ts";
import { type ByteString, byteString, checkedPath, nativeOf, pathOf } from "./native_bytes.ts";
import { namesOf, withoutFollowing } from "./no_follow.ts";
import type { Place, SystemPath } from "./place.ts";
import { now, unlessMissing } from "./system_call.ts";
import { nextTurn, turnIsOver } from "./turns.ts";

/** Names are looked at in portions, so that asking for the time costs nothing beside them. */
const STEPS_PER_LOOK = 32;

export function createDirectory(
  place: Place,
  path: NativePath,
  { recursive, followSymlinks = true }: CreateDirectoryOptions,
): void {
  if (followSymlinks) {
    const checked = checkedPath(path);
    if (recursive) createWithParents(place, checked);
    else makeAt(place, checked);
  } else if (recursive) {
    createEachWithoutFollowing(place, namesOf(path));
  } else {
    withoutFollowing(place, path, (spot) => now(() => mkdirSync(spot.path)));
  }
}

function makeAt(place: Place, path: SystemPath): void {
  using spot = place.spot(path);
  now(() => mkdirSync(spot.path));
}

/** Upwards to the first that is there, and down again. */
function createWithParents(place: Place, path: SystemPath): void {
  const names = byteString(path).split(/\/+/);
  if (names.at(-1) === "") names.pop();
  for (let count = names.length, goesUp = true; count <= names.length; count += goesUp ? -1 : 1) {
    const at = pathOf(names.slice(0, count).join("/") || "/");
    try {
      makeAt(place, at);
      goesUp = false;
    } catch (error) {
      const errno = error instanceof FsError ? error.errno : null;
      if (errno === "ENOENT" && goesUp && count > 1) continue;
      // That there is a directory says all, whatever making it has failed of.
      if (kindsAt(place, at)?.isDirectory !== true) throw error;
      goesUp = false;
    }
  }
}

function createEachWithoutFollowing(place: Place, names: readonly string[]): void {
  for (let count = 1; count <= names.length; count++) {
    using spot = place.spot(pathOf(`/${names.slice(0, count).join("/")}`), "refuse");
    try {
      now(() => mkdirSync(spot.path));
    } catch (error) {
      if (!(error instanceof FsError && error.errno === "EEXIST")) throw error;
    }
    if (count === names.length) HeldDirectory.open(place, spot)[Symbol.dispose]();
  }
}

export function canonicalize(place: Place, path: NativePath): NativePath {
  return nativeOf(place.canonical(checkedPath(path)).toString("latin1"));
}

/** What one listing may hold in memory, of names as long as they can be a few hundred MB. */
const MAX_ALL_ENTRIES = 1_000_000;

export async function readDirectory(
  place: Place,
  path: NativePath,
  { all = false, metadata = false }: ReadDirectoryOptions = {},
): Promise<readonly DirectoryEntry[]> {
  const directory = `${byteString(path)}/`;
  const limit = all ? MAX_ALL_ENTRIES : MAX_DIRECTORY_ENTRIES;
  const found: DirectoryEntry[] = [];
  let count = 0;
  for (const portion of listDirectory(place, checkedPath(path))) {
    for (const [step, entry] of portion.entries()) {
      if (step % STEPS_PER_LOOK === 0 && turnIsOver()) await nextTurn();
      const told = (all ? wholeEntry : entryThatLeads)(place, entry, directory);
      if (told === null) continue;
      count++;
      if (count > limit) continue;
      found.push(
        all && metadata ? { ...told, metadata: metadataOf(place, told, directory + entry.name) } : told,
      );
    }
  }
  if (count > limit) throw tooMany(count, limit);
  return found;
}

function entryThatLeads(place: Place, entry: ListedEntry, directory: string): DirectoryEntry | null {
  const kinds = kindsOf(place, entry, directory);
  return kinds && { name: nativeOf(entry.name), ...kinds };
}

function wholeEntry(place: Place, entry: ListedEntry, directory: string): DirectoryEntry {
  const kinds = kindsOf(place, entry, directory) ?? NEITHER;
  return { name: nativeOf(entry.name), ...kinds, isSymlink: isSymlink(place, entry, directory) };
}

function metadataOf(place: Place, { isSymlink }: DirectoryEntry, path: string): FileMetadata | null {
  if (isSymlink === true) return null;
  try {
    const found = getMetadata(place, nativeOf(path as ByteString), { itself: true });
    return found.isSymlink ? null : found;
  } catch (error) {
    if (error instanceof FsError) return null;
    throw error;
  }
}

/** Asked only of file systems that do not tell kinds. */
function isSymlink(place: Place, { name, kind }: ListedEntry, directory: string): boolean {
  return kind === "unknown" ? isSymlinkAt(place, directory + name) : kind === "symlink";
}

/** Who went away meanwhile is no link. */
export function isSymlinkAt(place: Place, path: string): boolean {
  try {
    using spot = place.spot(pathOf(path));
    return unlessMissing(() => lstatSync(spot.path))?.isSymbolicLink() ?? false;
  } catch (error) {
    if (error instanceof FsError && error.errno === "ENOENT") return false;
    throw error;
  }
}

function tooMany(count: number, limit: number): FsError {
  return new FsError("unsupported", `fs/readDirectory returned ${count} entries; limit is ${limit}`);
}

const DIRECTORY: Kinds = { isDirectory: true, isFile: false };
const FILE: Kinds = { isDirectory: false, isFile: true };
const NEITHER: Kinds = { isDirectory: false, isFile: false };

type Kinds = Pick<DirectoryEntry, "isDirectory" | "isFile">;

/** What an entry leads to, or null when it leads nowhere. `directory` ends with a slash. */
export function kindsOf(place: Place, { name, kind }: ListedEntry, directory: string): Kinds | null {
  if (kind === "symlink" || kind === "unknown") return kindsAt(place, pathOf(directory + name));
  return kind === "directory" ? DIRECTORY : kind === "file" ? FILE : NEITHER;
}

function kindsAt(place: Place, path: SystemPath): Kinds | null {
  try {
    using target = place.target(path);
    const found = now(() => statSync(target.path));
    return { isDirectory: found.isDirectory(), isFile: found.isFile() };
  } catch (error) {
    if (error instanceof FsError) return null;
    throw error;
  }
}

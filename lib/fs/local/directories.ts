import { lstatSync, mkdirSync, realpathSync, statSync } from "node:fs";
import { osErrorCode } from "../../base/os_error.ts";
import { FsError, systemError } from "../fs_error.ts";
import {
  type CreateDirectoryOptions,
  type DirectoryEntry,
  MAX_DIRECTORY_ENTRIES,
  type NativePath,
  type ReadDirectoryOptions,
} from "../file_system.ts";
import { listDirectory, type ListedEntry } from "./list_directory.ts";
import { byteString, checkedPath, nativeOf, pathOf } from "./native_bytes.ts";
import { enterAll, namesOf, withoutFollowing } from "./no_follow.ts";
import { asFsError, now, unlessMissing } from "./system_call.ts";
import { nextTurn, turnIsOver } from "./turns.ts";

/** Names are looked at in portions, so that asking for the time costs nothing beside them. */
const STEPS_PER_LOOK = 32;

export function createDirectory(
  path: NativePath,
  { recursive, followSymlinks = true }: CreateDirectoryOptions,
): void {
  if (followSymlinks) {
    const checked = checkedPath(path);
    if (!recursive) return now(() => mkdirSync(checked));
    // The runtime is content with anything that exists.
    now(() => mkdirSync(checked, { recursive }));
    if (kindsAt(checked)?.isDirectory !== true) throw systemError("EEXIST");
  } else if (recursive) {
    createEachWithoutFollowing(namesOf(path));
  } else {
    withoutFollowing(path, (place) => now(() => mkdirSync(place)));
  }
}

function createEachWithoutFollowing(names: readonly string[]): void {
  enterAll(names, (place) => {
    try {
      mkdirSync(place);
    } catch (error) {
      if (osErrorCode(error) !== "EEXIST") throw asFsError(error);
    }
  })[Symbol.dispose]();
}

export function canonicalize(path: NativePath): NativePath {
  const checked = checkedPath(path);
  return nativeOf(now(() => realpathSync.native(checked, { encoding: "buffer" })).toString("latin1"));
}

/** What one listing may hold in memory, of names as long as they can be a few hundred MB. */
const MAX_ALL_ENTRIES = 1_000_000;

export async function readDirectory(
  path: NativePath,
  { all = false }: ReadDirectoryOptions = {},
): Promise<readonly DirectoryEntry[]> {
  const directory = `${byteString(path)}/`;
  const limit = all ? MAX_ALL_ENTRIES : MAX_DIRECTORY_ENTRIES;
  const found: DirectoryEntry[] = [];
  let count = 0;
  for (const portion of listDirectory(checkedPath(path))) {
    for (const [step, entry] of portion.entries()) {
      if (step % STEPS_PER_LOOK === 0 && turnIsOver()) await nextTurn();
      const told = all ? wholeEntry(entry, directory) : entryThatLeads(entry, directory);
      if (told === null) continue;
      count++;
      if (count <= limit) found.push(told);
    }
  }
  if (count > limit) throw tooMany(count, limit);
  return found;
}

function entryThatLeads(entry: ListedEntry, directory: string): DirectoryEntry | null {
  const kinds = kindsOf(entry, directory);
  return kinds && { name: nativeOf(entry.name), ...kinds };
}

function wholeEntry(entry: ListedEntry, directory: string): DirectoryEntry {
  const kinds = kindsOf(entry, directory) ?? NEITHER;
  return { name: nativeOf(entry.name), ...kinds, isSymlink: isSymlink(entry, directory) };
}

/** Asked only of file systems that do not tell kinds. Who went away meanwhile is no link. */
function isSymlink({ name, kind }: ListedEntry, directory: string): boolean {
  if (kind !== "unknown") return kind === "symlink";
  return unlessMissing(() => lstatSync(pathOf(directory + name)))?.isSymbolicLink() ?? false;
}

function tooMany(count: number, limit: number): FsError {
  return new FsError("unsupported", `fs/readDirectory returned ${count} entries; limit is ${limit}`);
}

const DIRECTORY: Kinds = { isDirectory: true, isFile: false };
const FILE: Kinds = { isDirectory: false, isFile: true };
const NEITHER: Kinds = { isDirectory: false, isFile: false };

type Kinds = Pick<DirectoryEntry, "isDirectory" | "isFile">;

/** What an entry leads to, or null when it leads nowhere. `directory` ends with a slash. */
export function kindsOf({ name, kind }: ListedEntry, directory: string): Kinds | null {
  if (kind === "symlink" || kind === "unknown") return kindsAt(pathOf(directory + name));
  return kind === "directory" ? DIRECTORY : kind === "file" ? FILE : NEITHER;
}

function kindsAt(path: string | Buffer): Kinds | null {
  try {
    const found = statSync(path);
    return { isDirectory: found.isDirectory(), isFile: found.isFile() };
  } catch (error) {
    if (asFsError(error) instanceof FsError) return null;
    throw error;
  }
}

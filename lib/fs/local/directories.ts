import { mkdirSync, realpathSync, statSync } from "node:fs";
import { osErrorCode } from "../../base/os_error.ts";
import { FsError, systemError } from "../fs_error.ts";
import {
  type CreateDirectoryOptions,
  type DirectoryEntry,
  MAX_DIRECTORY_ENTRIES,
  type NativePath,
} from "../file_system.ts";
import { listDirectory, type ListedEntry } from "./list_directory.ts";
import { byteString, checkedPath, nativeOf, pathOf } from "./native_bytes.ts";
import { enterAll, namesOf, withoutFollowing } from "./no_follow.ts";
import { asFsError, now } from "./system_call.ts";
import { nextTurn, turnIsOver } from "./turns.ts";

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

export async function readDirectory(path: NativePath): Promise<readonly DirectoryEntry[]> {
  const directory = `${byteString(path)}/`;
  const found: DirectoryEntry[] = [];
  let count = 0;
  for (const portion of listDirectory(checkedPath(path))) {
    for (const entry of portion) {
      const kinds = kindsOf(entry, directory);
      if (kinds === null) continue;
      count++;
      if (count <= MAX_DIRECTORY_ENTRIES) found.push({ name: nativeOf(entry.name), ...kinds });
    }
    if (turnIsOver()) await nextTurn();
  }
  if (count > MAX_DIRECTORY_ENTRIES) throw tooMany(count);
  return found;
}

function tooMany(count: number): FsError {
  return new FsError(
    "unsupported",
    `fs/readDirectory returned ${count} entries; limit is ${MAX_DIRECTORY_ENTRIES}`,
  );
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

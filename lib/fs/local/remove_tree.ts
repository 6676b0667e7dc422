import { lstatSync, renameSync, rmdirSync, unlinkSync } from "node:fs";
import { osErrorCode } from "../../base/os_error.ts";
import type { NativePath, RemoveOptions, Soon } from "../file_system.ts";
import { FsError } from "../fs_error.ts";
import { HeldDirectory } from "./held_directory.ts";
import { listDirectory, type ListedEntry } from "./list_directory.ts";
import { refusingLink } from "./metadata.ts";
import { checkedPath } from "./native_bytes.ts";
import { withoutFollowing } from "./no_follow.ts";
import { asFsError, now } from "./system_call.ts";
import { nextTurn, turnIsOver } from "./turns.ts";

/** Directories held open at a time; what lies deeper is first brought up to the top of the tree. */
const MAX_HELD = 128;

export function remove(
  path: NativePath,
  { recursive, force, followSymlinks = true }: RemoveOptions,
): Soon<void> {
  try {
    if (followSymlinks) return removeAt(checkedPath(path), recursive);
    if (recursive) throw new FsError("unsupported", "recursive no-follow removal is unsupported");
    withoutFollowing(path, (place) => removeOne(place, refusingLink(place).isDirectory()));
  } catch (error) {
    if (!(force && error instanceof FsError && error.errno === "ENOENT")) throw error;
  }
}

function removeAt(path: string | Buffer, recursive: boolean): Soon<void> {
  const isDirectory = now(() => lstatSync(path)).isDirectory();
  if (isDirectory && recursive) return removeTree(path);
  removeOne(path, isDirectory);
}

function removeOne(path: string | Buffer, isDirectory: boolean): void {
  now(() => isDirectory ? rmdirSync(path) : unlinkSync(path));
}

interface Level {
  /** How the level above knows it; null for the top. */
  readonly name: string | null;
  readonly held: HeldDirectory;
  entries: Iterator<ListedEntry>;
  /** Something went from it since its listing began: another look is worth it. */
  progressed: boolean;
}

/** Everything below, then the directory. Links are removed, never followed, whatever is moved about meanwhile. */
async function removeTree(path: string | Buffer): Promise<void> {
  const levels: Level[] = [];
  const enter = (name: string | null, held: HeldDirectory) =>
    levels.push({ name, held, entries: entriesOf(held), progressed: false });
  enter(null, HeldDirectory.open(path));
  try {
    for (let moved = 0; levels.length > 0;) {
      if (turnIsOver()) await nextTurn();
      const level = levels.at(-1)!;
      const { done, value: entry } = level.entries.next();
      if (done) {
        leave(levels, path);
      } else if (!unlinked(level, entry)) {
        level.progressed = true;
        const below = heldBelow(level, entry.name);
        if (below === null) continue;
        if (levels.length < MAX_HELD) {
          enter(entry.name, below);
        } else {
          below[Symbol.dispose]();
          const top = levels[0]!;
          top.progressed = true;
          now(() =>
            renameSync(level.held.path(entry.name), top.held.path(`.removed-${process.pid}-${moved++}`))
          );
        }
      }
    }
  } finally {
    for (const { held, entries } of levels) {
      entries.return?.();
      held[Symbol.dispose]();
    }
  }
}

/** Removes the innermost directory, unless something is in it still and it was not in vain to look. */
function leave(levels: Level[], top: string | Buffer): void {
  const level = levels.at(-1)!;
  const place = level.name === null ? top : levels.at(-2)!.held.path(level.name);
  try {
    rmdirSync(place);
  } catch (error) {
    const code = osErrorCode(error);
    if (code === "ENOTEMPTY" && level.progressed) {
      level.entries = entriesOf(level.held);
      level.progressed = false;
      return;
    }
    if (code !== "ENOENT") throw asFsError(error);
  }
  level.held[Symbol.dispose]();
  levels.pop();
}

/** false: it is a directory. */
function unlinked(level: Level, { name, kind }: ListedEntry): boolean {
  if (kind === "directory") return false;
  try {
    unlinkSync(level.held.path(name));
    level.progressed = true;
    return true;
  } catch (error) {
    const code = osErrorCode(error);
    if (code === "ENOENT") return true;
    if (code === "EISDIR") return false;
    throw asFsError(error);
  }
}

/** null: it went away. */
function heldBelow(level: Level, name: string): HeldDirectory | null {
  try {
    return level.held.enter(name);
  } catch (error) {
    if (error instanceof FsError && error.errno === "ENOENT") return null;
    throw error;
  }
}

function* entriesOf(held: HeldDirectory): Generator<ListedEntry, void> {
  for (const portion of listDirectory(held.path())) yield* portion;
}

import { lstatSync, renameSync, rmdirSync, type Stats, unlink, unlinkSync } from "node:fs";
import { osErrorCode } from "../../base/os_error.ts";
import type { GiveUpOptions, NativePath, RemoveOptions, Soon } from "../file_system.ts";
import { FsError } from "../fs_error.ts";
import { QUICKLY_CUT_BYTES } from "./cut_file.ts";
import { stopIfGivenUp } from "./give_up.ts";
import { HeldDirectory } from "./held_directory.ts";
import { listDirectory, type ListedEntry } from "./list_directory.ts";
import { refusingLink } from "./metadata.ts";
import { checkedPath } from "./native_bytes.ts";
import { withoutFollowing } from "./no_follow.ts";
import { asFsError, now, unlessMissing } from "./system_call.ts";
import { nextTurn, turnIsOver } from "./turns.ts";

/** Directories held open at a time; what lies deeper is first brought up to the top of the tree. */
const MAX_HELD = 128;

export function remove(
  path: NativePath,
  options: RemoveOptions,
): Soon<void> {
  const { recursive, followSymlinks = true } = options;
  try {
    if (followSymlinks) return removeAt(checkedPath(path), options);
    if (recursive) throw new FsError("unsupported", "recursive no-follow removal is unsupported");
    withoutFollowing(path, (place) => removeOne(place, refusingLink(place).isDirectory()));
  } catch (error) {
    unlessForgiven(options)(error);
  }
}

function unlessForgiven({ force }: RemoveOptions): (error: unknown) => void {
  return (error) => {
    if (!(force && error instanceof FsError && error.errno === "ENOENT")) throw error;
  };
}

function removeAt(path: string | Buffer, options: RemoveOptions): Soon<void> {
  const found = now(() => lstatSync(path));
  if (found.isDirectory() && options.recursive) return removeTree(path, options);
  if (takesLongToFree(found)) return unlinkLater(path).catch(unlessForgiven(options));
  removeOne(path, found.isDirectory());
}

/** Giving its room back is the work: off the main thread. */
function takesLongToFree({ size, nlink }: Stats): boolean {
  return size > QUICKLY_CUT_BYTES && nlink === 1;
}

function unlinkLater(path: string | Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    unlink(path, (error) => error ? reject(asFsError(error)) : resolve());
  });
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
async function removeTree(path: string | Buffer, options: GiveUpOptions): Promise<void> {
  const levels: Level[] = [];
  const enter = (name: string | null, held: HeldDirectory) =>
    levels.push({ name, held, entries: entriesOf(held), progressed: false });
  enter(null, HeldDirectory.open(path));
  try {
    for (let moved = 0; levels.length > 0;) {
      stopIfGivenUp(options);
      if (turnIsOver()) await nextTurn();
      const level = levels.at(-1)!;
      const { done, value: entry } = level.entries.next();
      if (done) {
        leave(levels, path);
        continue;
      }
      const large = entry.kind === "directory" ? null : largeFileAt(level, entry.name);
      if (large !== null) {
        await unlinkLater(large);
        level.progressed = true;
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

/** Where it is, if it takes long to remove. Who went away meanwhile does not. */
function largeFileAt(level: Level, name: string): string | Buffer | null {
  const place = level.held.path(name);
  const found = unlessMissing(() => lstatSync(place));
  return found?.isFile() && takesLongToFree(found) ? place : null;
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

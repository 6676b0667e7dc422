import { lstatSync, renameSync, rmdirSync, type Stats, unlink, unlinkSync } from "node:fs";
import type { GiveUpOptions, NativePath, RemoveOptions, Soon } from "../file_system.ts";
import { FsError } from "../fs_error.ts";
import { QUICKLY_CUT_BYTES } from "./cut_file.ts";
import { stopIfGivenUp } from "./give_up.ts";
import { HeldDirectory } from "./held_directory.ts";
import { entriesOf, type ListedEntry } from "./list_directory.ts";
import { refusingLink } from "./metadata.ts";
import { checkedPath } from "./native_bytes.ts";
import { withoutFollowing } from "./no_follow.ts";
import type { Place, Spot } from "./place.ts";
import { asFsError, now, unlessMissing } from "./system_call.ts";
import { nextTurn, turnIsOver } from "./turns.ts";
import { whileHeld } from "./while_held.ts";

/** Directories held open at a time; what lies deeper is first brought up to the top of the tree. */
const MAX_HELD = 128;

export function remove(
  place: Place,
  path: NativePath,
  options: RemoveOptions,
): Soon<void> {
  const { recursive, followSymlinks = true } = options;
  try {
    if (followSymlinks) {
      const done = whileHeld(place.spot(checkedPath(path)), (spot) => removeAt(place, spot, options));
      return done instanceof Promise ? done.catch(unlessForgiven(options)) : done;
    }
    if (recursive) throw new FsError("unsupported", "recursive no-follow removal is unsupported");
    withoutFollowing(place, path, (spot) => removeOne(spot, refusingLink(spot).isDirectory()));
  } catch (error) {
    unlessForgiven(options)(error);
  }
}

function unlessForgiven({ force }: RemoveOptions): (error: unknown) => void {
  return (error) => {
    if (!(force && error instanceof FsError && error.errno === "ENOENT")) throw error;
  };
}

function removeAt(place: Place, spot: Spot, options: RemoveOptions): Soon<void> {
  const found = now(() => lstatSync(spot.path));
  if (found.isDirectory() && options.recursive) return removeTree(place, spot, options);
  if (takesLongToFree(found)) return unlinkLater(spot);
  removeOne(spot, found.isDirectory());
}

/** Giving its room back is the work: off the main thread. */
function takesLongToFree({ size, nlink }: Stats): boolean {
  return size > QUICKLY_CUT_BYTES && nlink === 1;
}

function unlinkLater(spot: Spot): Promise<void> {
  spot.checkMovable();
  return new Promise((resolve, reject) => {
    unlink(spot.path, (error) => error ? reject(asFsError(error)) : resolve());
  });
}

function removeOne(spot: Spot, isDirectory: boolean): void {
  spot.checkMovable();
  now(() => isDirectory ? rmdirSync(spot.path) : unlinkSync(spot.path));
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
async function removeTree(place: Place, top: Spot, options: GiveUpOptions): Promise<void> {
  const levels: Level[] = [];
  const enter = (name: string | null, held: HeldDirectory) =>
    levels.push({ name, held, entries: entriesOf(held), progressed: false });
  enter(null, HeldDirectory.open(place, top));
  try {
    for (let moved = 0; levels.length > 0;) {
      stopIfGivenUp(options);
      if (turnIsOver()) await nextTurn();
      const level = levels.at(-1)!;
      const { done, value: entry } = level.entries.next();
      if (done) {
        leave(levels, top);
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
          bringUp(level.held.spot(entry.name), levels[0]!, `.removed-${process.pid}-${moved++}`);
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

function bringUp(spot: Spot, level: Level, name: string): void {
  level.progressed = true;
  spot.checkMovable();
  now(() => renameSync(spot.path, level.held.path(name)));
}

/** Removes the innermost directory, unless something is in it still and it was not in vain to look. */
function leave(levels: Level[], top: Spot): void {
  const level = levels.at(-1)!;
  const spot = level.name === null ? top : levels.at(-2)!.held.spot(level.name);
  try {
    removeOne(spot, true);
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOTEMPTY" && level.progressed) {
      level.entries = entriesOf(level.held);
      level.progressed = false;
      return;
    }
    if (code !== "ENOENT") throw error;
  }
  level.held[Symbol.dispose]();
  levels.pop();
}

/** Where it is, if it takes long to remove. Who went away meanwhile does not. */
function largeFileAt(level: Level, name: string): Spot | null {
  const spot = level.held.spot(name);
  const found = unlessMissing(() => lstatSync(spot.path));
  return found?.isFile() && takesLongToFree(found) ? spot : null;
}

/** false: it is a directory. */
function unlinked(level: Level, { name, kind }: ListedEntry): boolean {
  if (kind === "directory") return false;
  try {
    removeOne(level.held.spot(name), false);
    level.progressed = true;
    return true;
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOENT") return true;
    if (code === "EISDIR") return false;
    throw error;
  }
}

/** null: it went away. */
function heldBelow(level: Level, name: string): HeldDirectory | null {
  try {
    return level.held.enter(name);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return null;
    throw error;
  }
}

function errnoOf(error: unknown): string | null {
  return error instanceof FsError ? error.errno : null;
}

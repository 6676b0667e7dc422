import { closeSync, constants, lstatSync, mkdirSync, readlinkSync, type Stats, symlinkSync } from "node:fs";
import type { CopyOptions, GiveUpOptions, NativePath, Soon } from "../file_system.ts";
import { FsError, systemError } from "../fs_error.ts";
import { copyFile } from "./copy_file.ts";
import { createDirectory } from "./directories.ts";
import { stopIfGivenUp } from "./give_up.ts";
import { HeldDirectory, O_PATH } from "./held_directory.ts";
import { entriesOf, type EntryKind, type ListedEntry } from "./list_directory.ts";
import { byteString, checkedPath, pathOf } from "./native_bytes.ts";
import type { Place, Spot, SystemPath } from "./place.ts";
import { now } from "./system_call.ts";
import { nextTurn, turnIsOver } from "./turns.ts";
import { whileHeld } from "./while_held.ts";

const OPEN_DIRECTORY = constants.O_DIRECTORY | O_PATH;
/** Levels of a tree, two directories held open for each. */
const MAX_LEVELS = 256;

/** A file, a link as a link, or with `recursive` a directory with all that is in it, into what is there already. */
export function copy(
  place: Place,
  source: NativePath,
  destination: NativePath,
  options: CopyOptions,
): Soon<void> {
  const [from, to] = [checkedPath(source), checkedPath(destination)];
  return whileHeld(place.spot(from), (spot) => {
    const kind = kindOf(now(() => lstatSync(spot.path)));
    if (kind === "directory") {
      if (!options.recursive) {
        throw new FsError("refused", "fs/copy requires recursive: true when sourcePath is a directory");
      }
      if (isBelow(canonicalAsFarAsThere(place, to), canonicalAsFarAsThere(place, from))) throw intoItself();
      createDirectory(place, destination, { recursive: true });
    }
    return whileHeld(place.spot(to), (target) => copyKind(place, kind, spot, target, options));
  });
}

function copyKind(place: Place, kind: EntryKind, from: Spot, to: Spot, options: GiveUpOptions): Soon<void> {
  switch (kind) {
    case "directory":
      return copyTree(place, from, to, options);
    case "file":
      return copyFile(from, to, options);
    case "symlink":
      return copyLink(from, to);
    default:
      throw new FsError("refused", "fs/copy only supports regular files, directories, and symlinks");
  }
}

function intoItself(): FsError {
  return new FsError("refused", "fs/copy cannot copy a directory to itself or one of its descendants");
}

function kindOf(found: Stats): EntryKind {
  if (found.isDirectory()) return "directory";
  if (found.isSymbolicLink()) return "symlink";
  return found.isFile() ? "file" : "other";
}

/** The real path of what is there of it, and the names of what is not. */
function canonicalAsFarAsThere(place: Place, path: SystemPath): string {
  const names = byteString(path).split("/").filter((name) => name !== "");
  for (let there = names.length;; there--) {
    try {
      const real = place.canonical(pathOf(`/${names.slice(0, there).join("/")}`));
      return [real.toString("latin1").replace(/\/$/, ""), ...names.slice(there)].join("/");
    } catch (error) {
      if (!isErrno(error, "ENOENT") || there === 0) throw error;
    }
  }
}

function isErrno(error: unknown, errno: string): boolean {
  return error instanceof FsError && error.errno === errno;
}

function isBelow(path: string, top: string): boolean {
  return path === top || path.startsWith(`${top}/`);
}

function copyLink(from: Spot, to: Spot): void {
  const text = now(() => readlinkSync(from.path, { encoding: "buffer" }));
  now(() => symlinkSync(text, to.path));
}

interface Level {
  readonly from: HeldDirectory;
  readonly to: HeldDirectory;
  readonly toIdentity: string;
  readonly entries: Iterator<ListedEntry>;
}

async function copyTree(place: Place, from: Spot, to: Spot, options: GiveUpOptions): Promise<void> {
  const levels: Level[] = [];
  enter(levels, HeldDirectory.open(place, from), () => HeldDirectory.open(place, to, "follow"));
  try {
    while (levels.length > 0) {
      stopIfGivenUp(options);
      if (turnIsOver()) await nextTurn();
      const level = levels.at(-1)!;
      const { done, value: entry } = level.entries.next();
      if (done) {
        leave(levels.pop()!);
        continue;
      }
      const [source, destination] = [level.from.spot(entry.name), level.to.spot(entry.name)];
      switch (entry.kind === "unknown" ? kindOf(now(() => lstatSync(source.path))) : entry.kind) {
        case "directory":
          makeDirectory(destination);
          enter(levels, level.from.enter(entry.name), () => level.to.enter(entry.name, "follow"));
          break;
        case "file": {
          const copied = copyFile(source, destination, options);
          if (copied instanceof Promise) await copied;
          break;
        }
        case "symlink":
          copyLink(source, destination);
      }
    }
  } finally {
    levels.forEach(leave);
  }
}

function enter(levels: Level[], from: HeldDirectory, openTo: () => HeldDirectory): void {
  let to: HeldDirectory | null = null;
  try {
    if (levels.length === MAX_LEVELS) throw systemError("ENAMETOOLONG");
    // By way of a link in the destination, what is copied may be where it is copied to: it would never end.
    const identity = identityOf(from);
    if (levels.some(({ toIdentity }) => toIdentity === identity)) throw intoItself();
    to = openTo();
    levels.push({ from, to, toIdentity: identityOf(to), entries: entriesOf(from) });
  } catch (error) {
    from[Symbol.dispose]();
    to?.[Symbol.dispose]();
    throw error;
  }
}

function leave({ from, to, entries }: Level): void {
  entries.return?.();
  from[Symbol.dispose]();
  to[Symbol.dispose]();
}

function identityOf(held: HeldDirectory): string {
  const { dev, ino } = held.identity();
  return `${dev}:${ino}`;
}

function makeDirectory({ path, open }: Spot): void {
  try {
    now(() => mkdirSync(path));
  } catch (error) {
    if (!isErrno(error, "EEXIST") || !leadsToDirectory(open)) throw error;
  }
}

function leadsToDirectory(open: Spot["open"]): boolean {
  try {
    closeSync(open(OPEN_DIRECTORY));
    return true;
  } catch (error) {
    if (isErrno(error, "ENOTDIR") || isErrno(error, "ENOENT")) return false;
    throw error;
  }
}

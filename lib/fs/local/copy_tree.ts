import { lstatSync, mkdirSync, readlinkSync, realpathSync, type Stats, symlinkSync } from "node:fs";
import { osErrorCode } from "../../base/os_error.ts";
import type { CopyOptions, GiveUpOptions, NativePath, Soon } from "../file_system.ts";
import { FsError, systemError } from "../fs_error.ts";
import { copyFile } from "./copy_file.ts";
import { createDirectory } from "./directories.ts";
import { stopIfGivenUp } from "./give_up.ts";
import { HeldDirectory } from "./held_directory.ts";
import { type EntryKind, listDirectory, type ListedEntry } from "./list_directory.ts";
import { byteString, checkedPath, nativeOf, pathOf } from "./native_bytes.ts";
import { asFsError, now } from "./system_call.ts";
import { nextTurn, turnIsOver } from "./turns.ts";

/** Levels of a tree, two directories held open for each. */
const MAX_LEVELS = 256;

/** A file, a link as a link, or with `recursive` a directory with all that is in it, into what is there already. */
export function copy(
  source: NativePath,
  destination: NativePath,
  options: CopyOptions,
): Soon<void> {
  const [from, to] = [checkedPath(source), checkedPath(destination)];
  switch (kindOf(now(() => lstatSync(from)))) {
    case "directory":
      if (!options.recursive) {
        throw new FsError("refused", "fs/copy requires recursive: true when sourcePath is a directory");
      }
      if (isBelow(canonicalAsFarAsThere(destination), canonicalAsFarAsThere(source))) throw intoItself();
      createDirectory(destination, { recursive: true });
      return copyTree(from, to, options);
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
function canonicalAsFarAsThere(path: NativePath): string {
  const names = byteString(path).split("/").filter((name) => name !== "");
  for (let there = names.length;; there--) {
    try {
      const real = realpathSync.native(pathOf(`/${names.slice(0, there).join("/")}`), { encoding: "buffer" });
      return [real.toString("latin1").replace(/\/$/, ""), ...names.slice(there)].join("/");
    } catch (error) {
      if (osErrorCode(error) !== "ENOENT" || there === 0) throw asFsError(error);
    }
  }
}

function isBelow(path: string, top: string): boolean {
  return path === top || path.startsWith(`${top}/`);
}

function copyLink(from: string | Buffer, to: string | Buffer): void {
  const text = now(() => readlinkSync(from, { encoding: "buffer" }));
  now(() => symlinkSync(text, to));
}

interface Level {
  readonly from: HeldDirectory;
  readonly to: HeldDirectory;
  readonly toIdentity: string;
  readonly entries: Iterator<ListedEntry>;
}

async function copyTree(from: string | Buffer, to: string | Buffer, options: GiveUpOptions): Promise<void> {
  const levels: Level[] = [];
  enter(levels, HeldDirectory.open(from), () => HeldDirectory.open(to, "follow"));
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
      const [source, destination] = [level.from.path(entry.name), level.to.path(entry.name)];
      switch (entry.kind === "unknown" ? kindOf(now(() => lstatSync(source))) : entry.kind) {
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

function makeDirectory(path: string | Buffer): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if (osErrorCode(error) !== "EEXIST") throw asFsError(error);
    createDirectory(nativeOf(byteString(path)), { recursive: true }); // fine for a directory, refused for a file
  }
}

function* entriesOf(held: HeldDirectory): Generator<ListedEntry, void> {
  for (const portion of listDirectory(held.path())) yield* portion;
}

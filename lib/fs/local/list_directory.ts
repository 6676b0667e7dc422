import { closeSync, constants, readdirSync } from "node:fs";
import type { ByteString } from "./native_bytes.ts";
import { hasLinuxCalls, nextEntries } from "./libc.ts";
import type { Place, Spot, SystemPath } from "./place.ts";
import { now } from "./system_call.ts";

export type EntryKind = "file" | "directory" | "symlink" | "other" | "unknown";

export interface ListedEntry {
  readonly name: ByteString;
  /** Of the entry itself; unknown where the file system does not say. */
  readonly kind: EntryKind;
}

const KINDS: Readonly<Record<number, EntryKind>> = {
  0: "unknown",
  4: "directory",
  8: "file",
  10: "symlink",
};

const OPEN_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NONBLOCK;

/**
 * What is in a directory, in its own order, in portions that a big directory does not outgrow.
 */
export function listDirectory(place: Place, path: SystemPath): Generator<ListedEntry[], void> {
  return list({ path, open: (flags) => place.open(path, flags) });
}

/** What is in a directory that is held, entry by entry. */
export function* entriesOf(directory: { spot(): Spot }): Generator<ListedEntry, void> {
  for (const portion of list(directory.spot())) yield* portion;
}

function* list({ path, open }: Pick<Spot, "path" | "open">): Generator<ListedEntry[], void> {
  const fd = open(OPEN_DIRECTORY);
  try {
    if (!hasLinuxCalls) {
      yield listByRuntime(path);
      return;
    }
    for (;;) {
      const entries = nextEntries(fd);
      if (entries.length === 0) return;
      yield readEntries(entries);
    }
  } finally {
    closeSync(fd);
  }
}

/** The kernel's `struct linux_dirent64`: inode (8), offset (8), length (2), kind (1), name, NUL. */
function readEntries(bytes: Buffer): ListedEntry[] {
  const entries: ListedEntry[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes[at + 16]! | bytes[at + 17]! << 8;
    const start = at + 19;
    // What stands behind the NUL, up to eight bytes, is whatever was there before.
    const name = bytes.toString("latin1", start, bytes.indexOf(0, start)) as ByteString;
    if (name !== "." && name !== "..") entries.push({ name, kind: KINDS[bytes[at + 18]!] ?? "other" });
    at += length;
  }
  return entries;
}

function listByRuntime(path: string | Buffer): ListedEntry[] {
  const entries = now(() => readdirSync(path as string, { withFileTypes: true, encoding: "latin1" }));
  return entries.map((entry) => ({
    name: entry.name as ByteString,
    kind: entry.isFile()
      ? "file"
      : entry.isDirectory()
      ? "directory"
      : entry.isSymbolicLink()
      ? "symlink"
      : "other",
  }));
}

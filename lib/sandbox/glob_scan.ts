import { lstatSync, readdirSync } from "node:fs";
import { type BytePath, child, nativeBytes, shownPath } from "./byte_path.ts";
import { below, isMatch, type Places, type Segment, start } from "./glob.ts";
import { UnenforceableError } from "./unenforceable.ts";

/** As Codex: who denies more by a pattern is better served by denying a directory. */
export const MAX_MATCHES = 8192;

/** Entries looked at for all patterns of an intent together: the server waits for as long as they are looked at. */
export const MAX_SCANNED = 200_000;

/** Directories below each other: links are not followed, so that this is no circle but malice. */
const MAX_DEPTH = 128;

/** What has been looked at and found so far for one intent. */
export interface ScanCount {
  scanned: number;
  matched: number;
}

export interface Match {
  readonly path: BytePath;
  readonly isLink: boolean;
}

/**
 * All that is below the directory and looks like this, but for directories: as Codex, who writes `a/*` means
 * the files in a. Symlinks are found and not followed. Throws UnenforceableError beyond the limits, and for
 * a directory that cannot be read, since what is in it could not be denied.
 */
export function scan(
  base: BytePath,
  segments: readonly Segment[],
  maxDepth: number | null,
  count: ScanCount,
): Match[] {
  const found: Match[] = [];
  const open: { directory: BytePath; places: Places; depth: number }[] = [];
  open.push({ directory: base, places: start(segments), depth: 1 });
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { directory, depth } = next;
    if (depth > MAX_DEPTH) throw beyond("must look into", MAX_DEPTH, "levels of directories");
    for (const { name, isDirectory, isLink } of entriesOf(directory)) {
      if (++count.scanned > MAX_SCANNED) throw beyond("must look at", MAX_SCANNED, "entries");
      const places = below(segments, next.places, shown(name));
      if (places.length === 0) continue;
      const path = child(directory, name);
      if (!isDirectory && isMatch(segments, places)) {
        if (++count.matched > MAX_MATCHES) throw beyond("match", MAX_MATCHES, "files");
        found.push({ path, isLink });
      }
      const mayHold = isDirectory && places.some((place) => place < segments.length);
      if (mayHold && depth < (maxDepth ?? Infinity)) open.push({ directory: path, places, depth: depth + 1 });
    }
  }
  return found;
}

interface DirectoryEntry {
  /** One character for each byte. */
  readonly name: string;
  readonly isDirectory: boolean;
  readonly isLink: boolean;
}

function entriesOf(directory: BytePath): DirectoryEntry[] {
  const native = nativeBytes(directory);
  const entries = tolerant(directory, () => readdirSync(native, { withFileTypes: true })) ?? [];
  // The runtime tells kinds only with names that are texts, so that those that are none cost a look each.
  if (entries.some(({ name }) => name.includes("\u{fffd}"))) return lookedAt(directory);
  return entries.map((entry) => ({
    name: Buffer.from(entry.name).toString("latin1"),
    isDirectory: entry.isDirectory(),
    isLink: entry.isSymbolicLink(),
  }));
}

function lookedAt(directory: BytePath): DirectoryEntry[] {
  const names = tolerant(directory, () => readdirSync(nativeBytes(directory), { encoding: "buffer" })) ?? [];
  return names.flatMap((bytes) => {
    const name = bytes.toString("latin1");
    const path = child(directory, name);
    const status = tolerant(path, () => lstatSync(nativeBytes(path)));
    return status === null
      ? []
      : [{ name, isDirectory: status.isDirectory(), isLink: status.isSymbolicLink() }];
  });
}

/** What has gone since it was named needs no mask. */
function tolerant<Value>(path: BytePath, read: () => Value): Value | null {
  try {
    return read();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw new UnenforceableError(`cannot expand a deny glob at ${shownPath(path)}: ${code}`, {
      cause: error,
    });
  }
}

/** Where the bytes are no UTF-8 each is a character that only wildcards fit. */
function shown(name: string): string {
  return nativeBytes(name).toString("utf8");
}

function beyond(verb: string, limit: number, things: string): UnenforceableError {
  return new UnenforceableError(`deny globs ${verb} more than ${limit} ${things}`);
}

import { lstatSync } from "node:fs";
import { osErrorCode } from "../base/os_error.ts";
import { type BytePath, child, nativeBytes, shownPath } from "./byte_path.ts";
import { below, isMatch, type Places, type Segment, start } from "./glob.ts";
import { listedDirectory, type ListedEntry } from "./listed_directory.ts";
import { UnenforceableError } from "./unenforceable.ts";
import type { WorkShare } from "./work_share.ts";

/** As Codex: who denies more by a pattern is better served by denying a directory. */
export const MAX_MATCHES = 8192;

/** Directories below each other: links are not followed, so that this is no circle but malice. */
const MAX_DEPTH = 128;

/** The clock is looked at after so many entries, which take some microseconds each. */
const ENTRIES_A_LOOK = 64;

/** What may still be found, and how long it may still take, for all patterns of one intent together. */
export interface ScanBudget {
  matches: number;
  readonly work: WorkShare;
}

export interface Match {
  readonly path: BytePath;
  readonly isLink: boolean;
}

/**
 * All that is below the directory and looks like this, but for directories: as Codex, who writes `a/*` means
 * the files in a. Symlinks are found and not followed. Others have their turns meanwhile. Fails with an
 * UnenforceableError beyond the budget, and for a directory that cannot be read, since what is in it could not be denied.
 */
export async function scan(
  base: BytePath,
  segments: readonly Segment[],
  maxDepth: number | null,
  budget: ScanBudget,
): Promise<Match[]> {
  const found: Match[] = [];
  const open: { directory: BytePath; places: Places; depth: number }[] = [];
  open.push({ directory: base, places: start(segments), depth: 1 });
  let scanned = 0;
  await budget.work.begin();
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { directory, depth } = next;
    if (depth > MAX_DEPTH) throw beyond("must look into", MAX_DEPTH, "levels of directories");
    for (const { name, isDirectory, isLink } of entriesOf(directory)) {
      if (++scanned % ENTRIES_A_LOOK === 0) await letOthers(budget.work);
      const places = below(segments, next.places, shown(name));
      if (places.length === 0) continue;
      const path = child(directory, name);
      if (!isDirectory && isMatch(segments, places)) {
        found.push({ path, isLink });
        spend(budget, 1);
      }
      const mayHold = isDirectory && places.some((place) => place < segments.length);
      if (mayHold && depth < (maxDepth ?? Infinity)) open.push({ directory: path, places, depth: depth + 1 });
    }
    await letOthers(budget.work);
  }
  budget.work.end();
  return found;
}

/** Those of the matches that still are some, as they are now. */
export async function stillThere(matches: readonly Match[], budget: ScanBudget): Promise<Match[]> {
  const found: Match[] = [];
  await budget.work.begin();
  for (const [at, { path }] of matches.entries()) {
    if (at % ENTRIES_A_LOOK === 0) await letOthers(budget.work);
    const stats = tolerant(path, () => lstatSync(nativeBytes(path), { throwIfNoEntry: false }));
    if (stats !== undefined && !stats.isDirectory()) found.push({ path, isLink: stats.isSymbolicLink() });
  }
  budget.work.end();
  spend(budget, found.length);
  return found;
}

/** Throws an UnenforceableError where more matches than may be. */
function spend(budget: ScanBudget, matches: number): void {
  budget.matches -= matches;
  if (budget.matches < 0) throw beyond("match", MAX_MATCHES, "files");
}

/** Costs nothing as long as the turn is not over. */
function letOthers(work: WorkShare): Promise<void> | void {
  if (work.isSpent()) throw beyond("take", work.maxMs / 1000, "seconds to expand");
  if (work.isTurnOver()) return work.begin();
}

function* entriesOf(directory: BytePath): Generator<ListedEntry> {
  const listed = listedDirectory(directory);
  try {
    for (;;) {
      const next = tolerant(directory, () => listed.next());
      if (next === undefined || next.done === true) return;
      yield next.value;
    }
  } finally {
    listed.return(undefined); // whoever stops early leaves nothing open
  }
}

/** What has gone since it was named needs no mask. */
function tolerant<Value>(path: BytePath, read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    const code = osErrorCode(error);
    if (code === null) throw error;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    const cause = `cannot expand a deny glob at ${shownPath(path)}: ${code}`;
    throw new UnenforceableError(cause, { cause: error });
  }
}

/** Where the bytes are no UTF-8 each is a character that only wildcards fit. */
function shown(name: string): string {
  return /[\x80-\xff]/.test(name) ? nativeBytes(name).toString("utf8") : name;
}

function beyond(verb: string, limit: number, things: string): UnenforceableError {
  return new UnenforceableError(`deny globs ${verb} more than ${limit} ${things}`);
}

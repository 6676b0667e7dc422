import type { BytePath } from "./byte_path.ts";
import { type Match, MAX_MATCHES, scan, type ScanBudget, stillThere } from "./glob_scan.ts";
import { look } from "./look.ts";
import type { GlobClaim } from "./materialise.ts";
import { WorkShare } from "./work_share.ts";

/** What the patterns of one intent may take; a tree that takes longer is no workspace. */
const MAX_WORK_MS = 5_000;

/** A call on a file is one of many with the same rules. */
const RECENT_MS = 1_000;

/**
 * "new": what there is now. "recent": as somebody may have found it a second ago, without what has gone since. A pattern
 * means what is there when something begins, and nobody counts on a moment: what comes later is never hidden.
 */
export type Freshness = "new" | "recent";

/** What a pattern means, and the directory that was looked through for it. */
export interface GlobMatches {
  /** null where there was none. */
  readonly base: BytePath | null;
  readonly matches: readonly Match[];
}

const recent = new Map<string, Promise<readonly Match[]>>();

/** One for each claim. Fails with an UnenforceableError. */
export async function matchesOf(
  globs: readonly GlobClaim[],
  maxDepth: number | null,
  freshness: Freshness,
  maxWorkMs = MAX_WORK_MS,
): Promise<GlobMatches[]> {
  const budget: ScanBudget = { matches: MAX_MATCHES, work: new WorkShare(maxWorkMs) };
  const found: GlobMatches[] = [];
  for (const { base, segments } of globs) {
    const seen = look(base);
    if (!seen.found || !seen.isDirectory) found.push({ base: seen.found ? seen.path : null, matches: [] });
    else {
      const find = () => scan(seen.path, segments, maxDepth, budget);
      const key = JSON.stringify([seen.path, segments, maxDepth]);
      found.push({
        base: seen.path,
        matches: freshness === "new" ? await find() : await shared(key, find, budget),
      });
    }
  }
  return found;
}

async function shared(
  key: string,
  find: () => Promise<Match[]>,
  budget: ScanBudget,
): Promise<readonly Match[]> {
  const known = recent.get(key);
  if (known !== undefined) return await stillThere(await known, budget);
  const found = find();
  recent.set(key, found);
  const forget = () => recent.delete(key);
  found.then(() => setTimeout(forget, RECENT_MS).unref(), forget);
  return await found;
}

import { type BytePath, parentOf, shownPath } from "./byte_path.ts";
import { couldMakeIn } from "./could_make.ts";
import type { Look } from "./look.ts";
import type { AccessTable } from "./specificity.ts";
import { UnenforceableError } from "./unenforceable.ts";

/** A path by whose name something must not be written, or not even read. */
export interface Narrowing {
  readonly asked: BytePath;
  readonly access: "read" | "deny";
  readonly seen: Look;
  readonly skipIfMissing: boolean;
}

/**
 * Whether all of them hold by the table: its rules are about what the names lead to now, and the command must
 * not be able to lead them elsewhere. `written` are the names that were asked for to be written.
 * Returns what is not there and must not be made.
 * Throws UnenforceableError for one that would not hold.
 */
export function uphold(
  narrowings: readonly Narrowing[],
  table: AccessTable,
  written: ReadonlySet<BytePath>,
): Set<BytePath> {
  const absent = new Set<BytePath>();
  for (const { asked, access, seen, skipIfMissing } of narrowings) {
    const what = `${access === "deny" ? "denied" : "read-only"} path ${shownPath(asked)}`;
    for (const { path } of seen.links) {
      if (!table.isWritable(parentOf(path))) continue;
      throw new UnenforceableError(`${what} crosses writable symlink ${shownPath(path)}`);
    }
    if (seen.found || !table.isWritable(parentOf(seen.path))) continue;
    if (seen.reason === "ENOENT") {
      const mayBeMade = access === "read" && seen.path === seen.whole && written.has(seen.path);
      if (!mayBeMade && couldMakeIn(parentOf(seen.path))) absent.add(seen.path);
    } else if (seen.reason !== "ENAMETOOLONG" && !skipIfMissing) {
      // A file in the place of a directory, or a directory that is closed for now: the command could change that.
      throw new UnenforceableError(`${what} cannot be reached: ${seen.reason} at ${shownPath(seen.path)}`);
    }
  }
  return absent;
}

import { FsError, systemError } from "../../lib/fs/fs_error.ts";
import { again } from "./again.ts";
import { type BytePath, join, nativePath } from "./byte_path.ts";
import type { Facts, Side } from "./side.ts";
import type { Tree } from "./scan_tree.ts";

/**
 * Makes the directories of a tree below `target`. Nothing is written through a link that stands where a directory is
 * to be: it could lead out of the target. Resolves with those that were there before.
 */
export async function makeDirectories(
  to: Side,
  target: BytePath,
  tree: Tree,
): Promise<ReadonlySet<BytePath>> {
  const found = new Set<BytePath>();
  for (const { path } of tree.directories) {
    const place = join(target, path);
    const there = await again(() => lookOrMake(to, place));
    if (there === null) continue;
    if (there.kind !== "directory" || there.isLink && path !== "") {
      throw systemError(there.kind === "directory" ? "ELOOP" : "ENOTDIR");
    }
    found.add(path);
  }
  return found;
}

/** What is there; null where it was made just now. */
async function lookOrMake(to: Side, place: BytePath): Promise<Facts | null> {
  const there = await to.look(place);
  if (there === null) await to.files.createDirectory(nativePath(place), { recursive: false });
  return there;
}

/** Modes and times of directories, once nothing is put into them any more: innermost first. */
export function finishDirectories(
  to: Side,
  target: BytePath,
  tree: Tree,
  found: ReadonlySet<BytePath>,
): void {
  const { powers } = to;
  if (powers === null) return;
  for (const { path, facts } of tree.directories.toReversed()) {
    if (found.has(path)) continue;
    const place = join(target, path);
    if (facts.mode !== null) powers.setMode(place, facts.mode & 0o777);
    powers.setModified(place, facts.modifiedAtMs);
  }
}

/** A link like another, on the same machine. It takes the place of a link that is there, and of nothing else. */
export async function copyLink(side: Side, source: BytePath, place: BytePath): Promise<void> {
  const copy = () => side.files.copy(nativePath(source), nativePath(place), { recursive: false });
  try {
    await copy();
  } catch (error) {
    if (!(error instanceof FsError && error.errno === "EEXIST")) throw error;
    const there = await side.look(place);
    if (there?.isLink !== true) throw error;
    await side.files.remove(nativePath(place), { recursive: false, force: true });
    await copy();
  }
}

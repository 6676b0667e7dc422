import { FsError } from "../../lib/fs/fs_error.ts";
import { again } from "./again.ts";
import { type BytePath, join, nativePath, parentOf } from "./byte_path.ts";
import { placed, Refusal, writing } from "./file_failure.ts";
import type { Facts, Side } from "./side.ts";
import type { Tree, TreeItem } from "./scan_tree.ts";

/** Questions that are on their way at a time. */
const ASKED_AT_ONCE = 16;
/** What we need of a directory to put something into it. */
const OURS = 0o700;
/** Permissions, and that only owners remove what is in it: without that a directory for all is open to all. */
const KEPT = 0o1777;

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
  for (const { path, facts } of tree.directories) {
    const place = join(target, path);
    const mayBeThere = path === "" || found.has(directoryOf(path));
    const there = await writing(to, place, () => again(() => lookOrMake(to, place, mayBeThere)));
    if (there === null) {
      if (to.isBeyondCodex && facts.mode !== null) await setMode(to, place, facts.mode | OURS);
      continue;
    }
    if (there.isLink && path !== "") {
      throw new Refusal(
        `${placed(to, place)} is a link, and a directory is to be there`,
        "nothing is written through it: remove it first, or copy to what it leads to",
      );
    }
    if (there.kind !== "directory") {
      throw new Refusal(
        `${placed(to, place)} is in the way of a directory`,
        "remove it first, or choose another name",
      );
    }
    found.add(path);
  }
  return found;
}

/** The directory in a tree that holds this; empty for the top. */
export function directoryOf(path: BytePath): BytePath {
  return path.includes("/") ? parentOf(path) : "" as BytePath;
}

/** What is there; null where it was made just now. */
async function lookOrMake(to: Side, place: BytePath, mayBeThere: boolean): Promise<Facts | null> {
  const there = mayBeThere ? await to.look(place) : null;
  if (there !== null) return there;
  try {
    await to.files.createDirectory(nativePath(place), { recursive: false });
    return null;
  } catch (error) {
    if (!isErrno(error, "EEXIST")) throw error;
    return await to.look(place); // made by somebody, or by ourselves when the answer was lost
  }
}

/** Modes and times of directories, once nothing is put into them any more. */
export async function finishDirectories(
  to: Side,
  target: BytePath,
  tree: Tree,
  found: ReadonlySet<BytePath>,
): Promise<void> {
  if (!to.isBeyondCodex) return;
  const made = tree.directories.filter(({ path }) => !found.has(path));
  for (let at = 0; at < made.length; at += ASKED_AT_ONCE) {
    await Promise.all(
      made.slice(at, at + ASKED_AT_ONCE).map(({ path, facts: { modifiedAtMs } }) => {
        const place = join(target, path);
        return writing(to, place, () => again(() => to.files.setTimes(nativePath(place), { modifiedAtMs })));
      }),
    );
  }
  // Innermost first: what may not be entered any more comes after all that is in it.
  for (const { path, facts: { mode } } of made.toReversed()) {
    if (mode !== null && (mode & OURS) !== OURS) await setMode(to, join(target, path), mode);
  }
}

async function setMode(to: Side, place: BytePath, mode: number): Promise<void> {
  await writing(to, place, () => again(() => to.files.setMode(nativePath(place), mode & KEPT)));
}

/** A link like another. It takes the place of a link that is there, and of nothing else. */
export async function copyLink(from: Side, item: TreeItem, to: Side, place: BytePath): Promise<void> {
  const modifiedAtMs = from.isBeyondCodex ? await ownTime(from, item.source) : null;
  await writing(to, place, async () => {
    try {
      await makeLink(from, item, to, place, modifiedAtMs);
    } catch (error) {
      if (!isErrno(error, "EEXIST")) throw error;
      const there = await to.look(place);
      if (there?.isLink !== true) throw error;
      await to.files.remove(nativePath(place), { recursive: false, force: true });
      await makeLink(from, item, to, place, modifiedAtMs);
    }
  });
}

/** What was found of a link are the times of what it leads to. */
async function ownTime(side: Side, path: BytePath): Promise<number> {
  return (await again(() => side.files.getMetadata(nativePath(path), { itself: true }))).modifiedAtMs;
}

async function makeLink(
  from: Side,
  { source, facts }: TreeItem,
  to: Side,
  place: BytePath,
  modifiedAtMs: number | null,
): Promise<void> {
  const path = nativePath(place);
  if (facts.linkTarget === null || !to.isBeyondCodex) {
    if (from !== to) throw new FsError("unsupported", "links stay on their machine there");
    return await to.files.copy(nativePath(source), path, { recursive: false });
  }
  await to.files.createSymlink(path, nativePath(facts.linkTarget));
  if (modifiedAtMs !== null) {
    await to.files.setTimes(path, { modifiedAtMs }, { followSymlinks: false });
  }
}

function isErrno(error: unknown, errno: string): boolean {
  return error instanceof FsError && error.errno === errno;
}

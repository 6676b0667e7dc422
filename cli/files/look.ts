import type { FileMetadata, FileSystem } from "../../lib/fs/file_system.ts";
import { FsError } from "../../lib/fs/fs_error.ts";
import { again } from "./again.ts";
import { type BytePath, bytePath, nativePath } from "./byte_path.ts";
import { isLinkFailure } from "./file_failure.ts";
import type { Facts, Kind } from "./side.ts";

/** What stands at a path, links followed. null: nothing is there. */
export async function look(
  files: FileSystem,
  isBeyondCodex: boolean,
  path: BytePath,
): Promise<Facts | null> {
  try {
    const facts = factsOf(await again(() => files.getMetadata(nativePath(path))));
    // Codex tells times before 1970 as 1970.
    return isBeyondCodex && facts.modifiedAtMs === 0 ? await withTrueTime(files, path, facts) : facts;
  } catch (error) {
    if (!isMissing(error)) throw error;
    return isBeyondCodex ? await linkItself(files, path) : await danglingLink(files, path);
  }
}

export function factsOf(found: FileMetadata): Facts {
  const { more } = found;
  return {
    kind: kindOf(found),
    isLink: found.isSymlink,
    size: found.size,
    modifiedAtMs: found.modifiedAtMs,
    createdAtMs: found.createdAtMs,
    accessedAtMs: more?.accessedAtMs ?? null,
    changedAtMs: more?.changedAtMs ?? null,
    mode: more?.mode ?? null,
    identity: more?.identity ?? null,
    links: more?.links ?? null,
    linkTarget: more === null || more.linkTarget === null ? null : bytePath(more.linkTarget),
  };
}

/** What is asked for itself is told its time as it is. */
async function withTrueTime(files: FileSystem, path: BytePath, facts: Facts): Promise<Facts> {
  const place = facts.isLink ? await again(() => files.canonicalize(nativePath(path))) : nativePath(path);
  const { modifiedAtMs } = await again(() => files.getMetadata(place, { itself: true }));
  return { ...facts, modifiedAtMs };
}

function kindOf({ isDirectory, isFile }: FileMetadata): Kind {
  return isDirectory ? "directory" : isFile ? "file" : "other";
}

export function isMissing(error: unknown): boolean {
  return error instanceof FsError && error.errno === "ENOENT";
}

/** A link that leads nowhere looks as if nothing were there, except to who asks for it itself. */
async function linkItself(files: FileSystem, path: BytePath): Promise<Facts | null> {
  try {
    const facts = factsOf(await again(() => files.getMetadata(nativePath(path), { itself: true })));
    return { ...facts, kind: facts.isLink ? "link" : facts.kind };
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** A plain Codex server tells of such a link only that it will not follow it. */
async function danglingLink(files: FileSystem, path: BytePath): Promise<Facts | null> {
  try {
    await again(() => files.getMetadata(nativePath(path), { followSymlinks: false }));
  } catch (error) {
    // Other errors are of what lies before it, or of servers that cannot be asked: then it is as it looked.
    if (!(error instanceof FsError) || isLinkFailure(error)) throw error;
    if (error.code !== "refused" || error.errno !== null) return null;
  }
  const times = { modifiedAtMs: 0, createdAtMs: 0, accessedAtMs: null, changedAtMs: null };
  return {
    ...{ kind: "link", isLink: true, size: 0, ...times },
    ...{ mode: null, identity: null, links: null, linkTarget: null },
  };
}

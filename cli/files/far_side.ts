import type { FileSystem } from "../../lib/fs/file_system.ts";
import { MAX_WALK } from "../../lib/fs/file_system.ts";
import { FsError } from "../../lib/fs/fs_error.ts";
import { type BytePath, bytePath, isPlainName, join, nativePath } from "./byte_path.ts";
import { again } from "./again.ts";
import { isLinkFailure } from "./file_failure.ts";
import type { Facts, Listing, Side } from "./side.ts";

export interface FarPlace {
  readonly name: string;
  readonly files: FileSystem;
  /** Where its commands start, and where its user is at home; null where it does not tell. */
  readonly start: string | null;
  readonly home: string | null;
}

/** The files of a server. */
export function farSide({ name, files, start, home }: FarPlace): Side {
  return {
    name,
    files,
    powers: null,
    absolute(path) {
      if (path.startsWith("/")) return path;
      const [from, rest] = /^~(\/|$)/.test(path) ? [home, path.slice(2)] : [start ?? home, path];
      if (from !== null) return join(bytePath(from), rest);
      throw new FsError("refused", "the server does not tell where relative paths begin");
    },
    async look(path) {
      try {
        return factsOf(await again(() => files.getMetadata(nativePath(path))));
      } catch (error) {
        if (isMissing(error)) return await danglingLink(files, path);
        throw error;
      }
    },
    list: (path) => again(() => list(files, path)),
  };
}

function factsOf(found: Awaited<ReturnType<FileSystem["getMetadata"]>>): Facts {
  return {
    kind: found.isDirectory ? "directory" : found.isFile ? "file" : "other",
    isLink: found.isSymlink,
    size: found.size,
    modifiedAtMs: found.modifiedAtMs,
    mode: null,
    identity: null,
  };
}

function isMissing(error: unknown): boolean {
  return error instanceof FsError && error.errno === "ENOENT";
}

/** A link that leads nowhere looks as if nothing were there, except to who follows none. null: nothing is there. */
async function danglingLink(files: FileSystem, path: BytePath): Promise<Facts | null> {
  try {
    await again(() => files.getMetadata(nativePath(path), { followSymlinks: false }));
  } catch (error) {
    // Other errors are of what lies before it, or of servers that cannot be asked: then it is as it looked.
    if (!(error instanceof FsError) || isLinkFailure(error)) throw error;
    if (error.code !== "refused" || error.errno !== null) return null;
  }
  return { kind: "link", isLink: true, size: 0, modifiedAtMs: 0, mode: null, identity: null };
}

/**
 * The wire lists twice, and neither tells all: a walk has the bytes of every name but leaves out links, a listing has
 * the links but only names that are UTF-8. What is in the listing alone is a link, or no file.
 */
async function list(files: FileSystem, path: BytePath): Promise<Listing> {
  const names: BytePath[] = [];
  const seen = new Map<string, number>();
  const limits = { maxDepth: 0, maxDirectories: 1, maxEntries: MAX_WALK.entries };
  const options = { ...limits, followDirectorySymlinks: false, pruneHiddenDirectories: false };
  const [listed, summary] = await Promise.all([
    files.readDirectory(nativePath(path)),
    files.walk(nativePath(path), options, (item) => {
      if (item.kind === "error") return true;
      const name = bytePath(item.path);
      names.push(name);
      seen.set(lossy(name), (seen.get(lossy(name)) ?? 0) + 1);
      return true;
    }),
  ]);
  const unnamable: string[] = [];
  for (const { name } of listed) {
    const bytes = bytePath(name);
    const alike = seen.get(lossy(bytes)) ?? 0;
    seen.set(lossy(bytes), alike - 1);
    if (alike > 0) continue;
    if (typeof name === "string" && name.includes("\u{fffd}")) unnamable.push(lossy(bytes));
    else names.push(bytes);
  }
  if (summary.truncated && unnamable.length > 0) {
    throw new FsError("unsupported", "directory is too large to list");
  }
  const wrong = names.find((name) => !isPlainName(name));
  if (wrong !== undefined) {
    throw new FsError("refused", `the server names ${JSON.stringify(wrong)} as a file`);
  }
  return { names, unnamable };
}

function lossy(name: BytePath): string {
  return Buffer.from(name, "latin1").toString("utf8");
}

import { type DirectoryEntry, type FileSystem, MAX_WALK } from "../../lib/fs/file_system.ts";
import { FsError } from "../../lib/fs/fs_error.ts";
import { again } from "./again.ts";
import { type BytePath, bytePath, isPlainName, nativePath } from "./byte_path.ts";
import { isLinkFailure } from "./file_failure.ts";
import { factsOf } from "./look.ts";
import type { FactListing, Facts, Listing } from "./side.ts";

/** Every name in a directory. What a server says is not to lead anywhere else. */
export async function list(files: FileSystem, isBeyondCodex: boolean, path: BytePath): Promise<Listing> {
  const listing = await again(() => isBeyondCodex ? listAll(files, path) : listTwice(files, path));
  checkNames(listing.names);
  return listing;
}

/** Asked for at once where that can be: a question for each name takes longer than all that is in the answers. */
export async function listFacts(
  files: FileSystem,
  isBeyondCodex: boolean,
  path: BytePath,
): Promise<FactListing> {
  const known = new Map<BytePath, Facts>();
  if (!isBeyondCodex) return { ...await list(files, false, path), known };
  const options = { all: true, metadata: true };
  let entries: readonly DirectoryEntry[];
  try {
    entries = await again(() => files.readDirectory(nativePath(path), options));
  } catch (error) {
    if (!(error instanceof FsError) || isLinkFailure(error)) throw error;
    return { ...await list(files, true, path), known }; // that much may not fit into one answer
  }
  const names = entries.map(({ name }) => bytePath(name));
  checkNames(names);
  for (const [at, { metadata }] of entries.entries()) {
    if (metadata !== undefined && metadata !== null) known.set(names[at]!, factsOf(metadata));
  }
  return { names, unnamable: [], known };
}

function checkNames(names: readonly BytePath[]): void {
  const wrong = names.find((name) => !isPlainName(name));
  if (wrong === undefined) return;
  throw new FsError("refused", `the server names ${JSON.stringify(wrong)} as a file`);
}

async function listAll(files: FileSystem, path: BytePath): Promise<Listing> {
  const entries = await files.readDirectory(nativePath(path), { all: true });
  return { names: entries.map(({ name }) => bytePath(name)), unnamable: [] };
}

/**
 * Codex's wire lists twice, and neither tells all: a walk has the bytes of every name but leaves out links, a listing
 * has the links but only names that are UTF-8. What is in the listing alone is a link, or no file.
 */
async function listTwice(files: FileSystem, path: BytePath): Promise<Listing> {
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
  return { names, unnamable };
}

function lossy(name: BytePath): string {
  return Buffer.from(name, "latin1").toString("utf8");
}

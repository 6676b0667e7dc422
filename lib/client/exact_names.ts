import type { DirectoryEntry, FileSystem, NativePath } from "../fs/file_system.ts";
import { MAX_WALK } from "../fs/file_system.ts";

/** What stands in a name for bytes that are no UTF-8; it may also be in the name itself. */
export const LOST = "\u{fffd}";

/** The entries of a directory with the names that were lost on the way, as far as a walk finds them. */
export async function exactNames(
  files: Pick<FileSystem, "walk">,
  directory: NativePath,
  entries: readonly DirectoryEntry[],
): Promise<readonly DirectoryEntry[]> {
  const options = {
    maxDepth: 0,
    maxDirectories: 1,
    maxEntries: MAX_WALK.entries,
    followDirectorySymlinks: true,
    pruneHiddenDirectories: false,
  };
  const names = new Map<string, NativePath[]>();
  await files.walk(directory, options, ({ path, kind }) => {
    const key = `${kind} ${shown(path)}`;
    const alike = names.get(key);
    if (alike === undefined) names.set(key, [path]);
    else alike.push(path);
    return true;
  });
  return entries.map((entry) => {
    const kind = entry.isDirectory ? "directory" : "file";
    const exact = shown(entry.name).includes(LOST) ? names.get(`${kind} ${shown(entry.name)}`)?.pop() : null;
    return exact ? { ...entry, name: exact } : entry;
  });
}

function shown(name: NativePath): string {
  return typeof name === "string" ? name : new TextDecoder("utf-8", { ignoreBOM: true }).decode(name);
}

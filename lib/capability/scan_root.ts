import type { FileSystem } from "../fs/file_system.ts";
import { below, type BytePath, bytePath, nativeBytes, parentOf } from "./byte_path.ts";
import type { TextFiles } from "./text_files.ts";

const LIMITS = { maxDepth: 6, maxDirectories: 2_000, maxEntries: 20_000 } as const;

/** Where the manifest of a plugin may be, the most important first. */
export const MANIFESTS = [
  ".codex-plugin/plugin.json",
  ".claude-plugin/plugin.json",
  ".cursor-plugin/plugin.json",
] as const;

export interface Scan {
  /** Every `SKILL.md`, in the order of their names. */
  readonly skills: readonly BytePath[];
  /** The directories of plugins, in the order of their names. */
  readonly plugins: readonly BytePath[];
}

/** Looks through a root, links to directories included. Rejects with an FsError where the root cannot be walked. */
export async function scanRoot(root: BytePath, files: FileSystem, texts: TextFiles): Promise<Scan> {
  const skills: BytePath[] = [];
  const plugins = new Set<BytePath>();
  const options = { ...LIMITS, followDirectorySymlinks: true, pruneHiddenDirectories: false };
  const { truncated } = await files.walk(nativeBytes(root), options, (item) => {
    const path = below(root, bytePath(item.path));
    if (item.kind === "error") texts.warn(`failed to scan ${texts.name(path)}: ${item.message}`);
    if (item.kind !== "file") return true;
    if (path.endsWith("/SKILL.md")) skills.push(path);
    else if (MANIFESTS.some((manifest) => path.endsWith(`/${manifest}`))) {
      plugins.add(parentOf(parentOf(path)!)!);
    }
    return true;
  });
  if (truncated) texts.warn(`capability scan reached its traversal limit (root: ${texts.name(root)})`);
  const byName = (one: BytePath, other: BytePath) => texts.name(one) < texts.name(other) ? -1 : 1;
  return { skills: skills.sort(byName), plugins: [...plugins].sort(byName) };
}

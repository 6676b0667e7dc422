import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";

export const PROJECT = resolve(import.meta.dir, "../..");

const NOT_OURS = new Set([".git", "node_modules", "dist", "coverage"]);

/** Every file of the project below `folder`, as a path from its root with forward slashes. */
export async function projectFiles(folder = ""): Promise<string[]> {
  const entries = await readdir(join(PROJECT, folder), { withFileTypes: true });
  const files = await Promise.all(entries.map((entry) => {
    if (NOT_OURS.has(entry.name)) return [];
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    return entry.isDirectory() ? projectFiles(path) : [path];
  }));
  return files.flat().sort();
}

export function readProjectFile(path: string): Promise<string> {
  return Bun.file(join(PROJECT, path)).text();
}

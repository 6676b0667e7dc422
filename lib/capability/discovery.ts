import type { FileSystem, NativePath } from "../fs/file_system.ts";
import { FsError } from "../fs/fs_error.ts";
import { below, type BytePath, bytePath, parentOf } from "./byte_path.ts";
import { configPlace } from "./plugin_config.ts";
import { MANIFESTS, scanRoot } from "./scan_root.ts";
import { type AnswerRoom, type TextFile, TextFiles } from "./text_files.ts";

export interface Plugin {
  readonly manifest: TextFile;
  readonly mcpConfig: TextFile | null;
  readonly appsConfig: TextFile | null;
}

export interface Skill {
  readonly instructions: TextFile;
  readonly metadata: TextFile | null;
}

/** What a directory offers to an agent. */
export interface Discovered {
  readonly plugin: Plugin | null;
  readonly skills: readonly Skill[];
  /** Name the skills: that of the root or the nearest one above it, then those of plugins within. */
  readonly namespaceManifests: readonly TextFile[];
  readonly warnings: readonly string[];
  /** Why there is nothing. */
  readonly error: string | null;
}

/** Looks for a plugin and for skills. `nameOf` says how paths are called in the answer. */
export async function discover(
  root: NativePath,
  files: FileSystem,
  nameOf: (path: NativePath) => string,
  answer: AnswerRoom,
): Promise<Discovered> {
  try {
    const { isDirectory } = await files.getMetadata(root);
    if (!isDirectory) return nothing(`capability root ${nameOf(root)} is not a directory`);
    return await look(bytePath(root), files, new TextFiles(files, nameOf, answer));
  } catch (error) {
    if (!(error instanceof FsError)) throw error;
    return nothing(`failed to inspect capability root ${nameOf(root)}: ${error.message}`);
  }
}

/** A root of which nothing is known but that. */
export function nothing(error: string): Discovered {
  return { plugin: null, skills: [], namespaceManifests: [], warnings: [], error };
}

async function look(root: BytePath, files: FileSystem, texts: TextFiles): Promise<Discovered> {
  const scan = await scanRoot(root, files, texts);
  const manifest = await readManifest(root, texts);
  const plugin = manifest === null ? null : await readPlugin(root, manifest, texts);
  const namespaceManifests = [manifest ?? await nearestAbove(root, texts)];
  for (const nested of scan.plugins) {
    if (nested !== root) namespaceManifests.push(await readManifest(nested, texts));
  }
  const skills: Skill[] = [];
  for (const path of scan.skills) {
    const instructions = await texts.read(path);
    if (instructions === null) continue;
    const metadata = await texts.read(below(parentOf(path)!, "agents/openai.yaml"));
    skills.push({ instructions, metadata });
  }
  return {
    plugin,
    skills,
    namespaceManifests: namespaceManifests.filter((found) => found !== null),
    warnings: texts.warnings,
    error: null,
  };
}

async function readManifest(plugin: BytePath, texts: TextFiles): Promise<TextFile | null> {
  for (const manifest of MANIFESTS) {
    const found = await texts.read(below(plugin, manifest));
    if (found !== null) return found;
  }
  return null;
}

async function nearestAbove(root: BytePath, texts: TextFiles): Promise<TextFile | null> {
  for (let directory = parentOf(root); directory !== null; directory = parentOf(directory)) {
    const found = await readManifest(directory, texts);
    if (found !== null) return found;
  }
  return null;
}

async function readPlugin(root: BytePath, manifest: TextFile, texts: TextFiles): Promise<Plugin> {
  const read = async (member: "mcpServers" | "apps", usual: string) => {
    const where = configPlace(manifest.contents, member);
    if (where.place === "inline") return null;
    if (where.place === "file") return await texts.read(below(root, bytePath(where.relative)));
    if (where.place === "ignored") texts.warn(`ignoring ${member} in ${manifest.path}: ${where.why}`);
    return await texts.read(below(root, usual));
  };
  const mcpConfig = await read("mcpServers", ".mcp.json");
  return { manifest, mcpConfig, appsConfig: await read("apps", ".app.json") };
}

import { posix } from "node:path";
import { projectFiles, readProjectFile } from "./project_files.ts";

/** One file needs another. */
export type Arrow = { from: string; to: string };

const transpiler = new Bun.Transpiler({ loader: "ts" });

// The transpiler forgets imports of types and imports that are not used. These do not, and may find one twice.
const STATEMENT = /^(?:import|export)\b[^;"'`]*?\bfrom\s*["']([^"']+)["']/gm;
const TYPE_IN_PLACE = /\bimport\(\s*["']([^"']+)["']\s*\)/g;

/** What a source names in its imports: values and types, at the top and on the way. */
export function importsIn(source: string): string[] {
  const named = [STATEMENT, TYPE_IN_PLACE].flatMap((pattern) =>
    [...source.matchAll(pattern)].flatMap(([, path]) => path ?? [])
  );
  return [...new Set([...transpiler.scanImports(source).map(({ path }) => path), ...named])];
}

/** The arrows from one file to other files of the project; packages and data are no arrows. */
export function arrowsOf(from: string, source: string): Arrow[] {
  return importsIn(source)
    .filter((path) => path.startsWith(".") && path.endsWith(".ts"))
    .map((path) => ({ from, to: posix.join(posix.dirname(from), path) }));
}

/** Every arrow that starts in what we ship. */
export async function shippedArrows(): Promise<Arrow[]> {
  const sources = (await projectFiles()).filter((path) => /^(main\.ts$|cli\/|lib\/)/.test(path))
    .filter((path) => path.endsWith(".ts") && !path.endsWith(".d.ts"));
  return (await Promise.all(sources.map(async (path) => arrowsOf(path, await readProjectFile(path))))).flat();
}

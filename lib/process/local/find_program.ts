import { accessSync, constants, statSync } from "node:fs";
import { join } from "@std/path";

/** What the C library searches when the environment names no PATH. */
const DEFAULT_PATH = "/bin:/usr/bin";

export type Found = { readonly program: string } | { readonly refused: readonly string[] };

/**
 * The program that a bare name means, searched in the *child's* PATH, relative entries from its directory.
 * A name with a slash is taken as it is: the system judges it. `refused` lists what was there but not executable.
 */
export function findProgram(name: string, path: string | undefined, cwd: string): Found {
  if (name.includes("/")) return { program: name };
  const refused: string[] = [];
  // Each once: a peer writes this list.
  for (const entry of new Set((path ?? DEFAULT_PATH).split(":"))) {
    // An empty entry is the working directory.
    const candidate = `${entry === "" ? "." : entry}/${name}`;
    const verdict = judge(candidate.startsWith("/") ? candidate : join(cwd, candidate));
    if (verdict === "executable") return { program: candidate };
    if (verdict === "refused") refused.push(candidate);
  }
  return { refused };
}

function judge(path: string): "executable" | "refused" | "missing" {
  try {
    // Asked first whether it is there: an error costs more than the question, and most are not.
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) return "missing";
    accessSync(path, constants.X_OK);
    return found.isFile() ? "executable" : "refused";
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EACCES" ? "refused" : "missing";
  }
}

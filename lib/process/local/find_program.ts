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
  const refused: string[] = [];
  for (const { file, verdict } of search(name, path, cwd)) {
    if (verdict === "executable") return { program: file };
    if (verdict === "refused") refused.push(file);
  }
  return { refused };
}

/** Every program that it may mean, the first before the others: for who sees less of this machine than we do. */
export function findPrograms(name: string, path: string | undefined, cwd: string) {
  const found = { programs: [] as string[], refused: [] as string[] };
  for (const { file, verdict } of search(name, path, cwd)) {
    if (verdict === "executable") found.programs.push(file);
    if (verdict === "refused") found.refused.push(file);
  }
  return found;
}

type Verdict = "executable" | "refused" | "missing";

function* search(
  name: string,
  path: string | undefined,
  cwd: string,
): Generator<{ file: string; verdict: Verdict }> {
  if (name.includes("/")) {
    yield { file: name, verdict: "executable" };
    return;
  }
  // Each once: a peer writes this list.
  for (const entry of new Set((path ?? DEFAULT_PATH).split(":"))) {
    // An empty entry is the working directory.
    const file = `${entry === "" ? "." : entry}/${name}`;
    yield { file, verdict: judge(file.startsWith("/") ? file : join(cwd, file)) };
  }
}

function judge(path: string): Verdict {
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

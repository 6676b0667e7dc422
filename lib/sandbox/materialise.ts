import { type BytePath, joined, nativeBytes, shownPath } from "./byte_path.ts";
import { literalOf, type Segment, segmentsOf, withoutBraces } from "./glob.ts";
import { type Access, type Entry, type Intent, PROJECT_ROOTS_PREFIX } from "./intent.ts";
import { UnenforceableError } from "./unenforceable.ts";

/** What the places of an intent are on this machine, as they are called, before anything is looked at. */
export interface Claims {
  readonly paths: readonly PathClaim[];
  readonly globs: readonly GlobClaim[];
  /** What every program needs may be read, wherever nothing else is said. */
  readonly minimal: boolean;
}

export interface PathClaim {
  readonly path: BytePath;
  readonly access: Access;
  readonly skipIfMissing: boolean;
}

/** Files below the base are denied. */
export interface GlobClaim {
  readonly base: BytePath;
  readonly segments: readonly Segment[];
}

/** More than any client means, less than what would make a start wait for seconds. */
export const MAX_CLAIMS = 16_384;

export function materialise(intent: Intent, entries: readonly Entry[], env: { TMPDIR?: string }): Claims {
  const paths: PathClaim[] = [];
  const globs: GlobClaim[] = [];
  for (const entry of entries) {
    const { access, skipIfMissing } = entry;
    paths.push(...pathsOf(entry, intent, env).map((path) => ({ path, access, skipIfMissing })));
    for (const { base, segments } of globsOf(entry, intent)) {
      // One that leaves no choice is a path like others.
      if (segments.length === 0) paths.push({ path: base, access, skipIfMissing });
      else globs.push({ base, segments });
    }
    if (paths.length + globs.length > MAX_CLAIMS) {
      throw new UnenforceableError(`more than ${MAX_CLAIMS} rules`);
    }
  }
  return { paths, globs, minimal: entries.some(isMinimal) };
}

function pathsOf({ path, access }: Entry, intent: Intent, env: { TMPDIR?: string }): BytePath[] {
  if (path.kind === "path") return [path.path];
  if (path.kind === "glob") return [];
  switch (path.special) {
    case "root":
      return ["/"];
    case "slash_tmp":
      return ["/tmp"];
    case "tmpdir":
      return temporaryDirectory(access, env.TMPDIR ?? "");
    case "project_roots":
      return belowRoots(path.subpath ?? "", access, intent.workspaceRoots);
    case "minimal":
      // Nothing could run. Codex allows it all the same, which is less than was asked.
      if (access === "deny") throw new UnenforceableError("minimal is denied");
      return [];
    case "unknown":
      return [];
  }
}

/** Relative to a directory that only the command knows, it grants nothing. */
function temporaryDirectory(access: Access, directory: string): BytePath[] {
  const bytes = Buffer.from(directory).toString("latin1");
  if (bytes.startsWith("/") && !bytes.includes("\0")) return [joined("/", bytes)];
  if (directory !== "" && access !== "write") throw new UnenforceableError("TMPDIR is not absolute");
  return [];
}

/** Who leaves the root gains nothing, but what was to be protected there is not known. */
function belowRoots(subpath: string, access: Access, roots: readonly BytePath[]): BytePath[] {
  const leaves = subpath.startsWith("/") || subpath.includes("\0") ||
    subpath.split("/").some((name) => name === "." || name === "..");
  if (!leaves) return roots.map((root) => joined(root, subpath));
  if (access === "write") return [];
  throw new UnenforceableError(`subpath ${shownPath(subpath)} is not below the workspace root`);
}

/** Only what is denied can be said by a pattern. */
function globsOf({ path, access }: Entry, intent: Intent): GlobClaim[] {
  if (path.kind !== "glob" || access !== "deny") return [];
  return withoutBraces(path.pattern).flatMap((pattern) => {
    if (pattern.startsWith(PROJECT_ROOTS_PREFIX)) {
      const relative = pattern.slice(PROJECT_ROOTS_PREFIX.length);
      if (relative.startsWith("/")) throw unexpandable(path.pattern);
      return intent.workspaceRoots.map((root) => globBelow(root, relative, path.pattern));
    }
    if (pattern.startsWith("/")) return [globBelow("/", pattern, path.pattern)];
    if (intent.cwd === null) throw new UnenforceableError("a relative glob without a cwd");
    return [globBelow(intent.cwd, pattern, path.pattern)];
  });
}

/** The names that leave no choice at the beginning are a part of the base. */
function globBelow(directory: BytePath, pattern: string, whole: string): GlobClaim {
  const segments = segmentsOf(nativeBytes(pattern).toString("utf8"));
  let base = directory;
  let first = 0;
  for (; first < segments.length; first++) {
    const name = literalOf(segments[first]!);
    if (name === null) break;
    base = joined(base, Buffer.from(name).toString("latin1"));
  }
  // All the machine would have to be looked through, or all that is known of it is denied by a slip.
  if (segments.length === 0 || base === "/") throw unexpandable(whole);
  return { base, segments: segments.slice(first) };
}

function unexpandable(pattern: string): UnenforceableError {
  return new UnenforceableError(
    `deny glob ${shownPath(pattern)} cannot be expanded: no directory at its beginning`,
  );
}

function isMinimal({ path }: Entry): boolean {
  return path.kind === "special" && path.special === "minimal";
}

import { type BytePath, child, namesOf, parentOf, shownPath } from "./byte_path.ts";
import type { Freshness, GlobMatches } from "./glob_matches.ts";
import { type Link, type Look, look, type Seen } from "./look.ts";
import type { Claims, GlobClaim, PathClaim } from "./materialise.ts";
import { type Narrowing, uphold } from "./narrowings.ts";
import { gitDirectory, PROTECTED_NAMES } from "./protected_names.ts";
import { AccessTable } from "./specificity.ts";
import { UnenforceableError } from "./unenforceable.ts";

/** What every program needs, where it is there. */
const MINIMAL = ["/usr", "/bin", "/sbin", "/etc", "/lib", "/lib64", "/nix/store", "/run/current-system/sw"];

/** What the claims come to on this machine. All paths are resolved. */
export interface Settled {
  readonly table: AccessTable;
  /** Those of the table's paths that are directories. */
  readonly directories: ReadonlySet<BytePath>;
  /** What is not there and must not be made. */
  readonly absent: ReadonlySet<BytePath>;
  /** What must stay where it is, for what is said of it is said of its name. */
  readonly fixed: ReadonlySet<BytePath>;
  /** The symlinks by which something allowed was named. */
  readonly links: readonly Link[];
}

/** At once, but where there are patterns: what they mean takes a while to find. */
export function settle(
  claims: Claims,
  globScanMaxDepth: number | null,
  freshness: Freshness,
): Settled | Promise<Settled> {
  if (claims.globs.length === 0) return settled(claims, []);
  return matchesOf(claims.globs, globScanMaxDepth, freshness).then((found) => settled(claims, found));
}

async function matchesOf(...asked: Parameters<typeof import("./glob_matches.ts").matchesOf>) {
  // Loaded only here: few profiles have patterns.
  return await (await import("./glob_matches.ts")).matchesOf(...asked);
}

/** `found`: what each of the claims' patterns means. */
function settled(claims: Claims, found: readonly GlobMatches[]): Settled {
  const ground = groundOf(claims, found);
  const { table, directories, links, narrowings, writtenNames } = ground;
  const led = ground.writes.filter(({ seen }) => replaceable(seen, table) !== undefined);
  if (led.length > 0) refuseGrants(led, table, claims, found);
  const absent = uphold(narrowings, table, writtenNames);
  const narrowed = narrowings.flatMap(({ seen }) =>
    seen.found && !table.isWritable(seen.path) ? [seen.path] : []
  );
  return { table, directories, links, absent, fixed: new Set([...narrowed, ...absent]) };
}

/** A path that is to be written, and where its name leads. */
interface Grant {
  readonly claim: PathClaim;
  readonly seen: Look & { found: true };
}

/**
 * A link in what may be written may be the work of a command that was here before, and lead where it wants to write
 * next. So it gives nothing that would not be writable without it.
 */
function refuseGrants(
  led: readonly Grant[],
  table: AccessTable,
  claims: Claims,
  found: readonly GlobMatches[],
): void {
  const doubtful = new Set(led.map(({ claim }) => claim));
  const paths = claims.paths.filter((claim) => !doubtful.has(claim));
  const without = groundOf({ ...claims, paths }, found).table;
  for (const { claim, seen } of led) {
    const link = replaceable(seen, table);
    if (link === undefined || without.isWritable(seen.path)) continue;
    const names = [claim.path, link.path].map(shownPath);
    throw new UnenforceableError(`writable path ${names[0]} crosses writable symlink ${names[1]}`);
  }
}

/** The first link on the way that a command could have made or could replace. */
function replaceable({ links }: Look, table: AccessTable): Link | undefined {
  return links.find(({ path }) => table.isWritable(parentOf(path)));
}

function groundOf(claims: Claims, found: readonly GlobMatches[]): Ground {
  const ground = new Ground();
  for (const claim of claims.paths) ground.claim(claim);
  for (const [at, glob] of claims.globs.entries()) ground.denyMatches(glob, found[at]!);
  if (claims.minimal) ground.allowMinimal();
  ground.protectNames();
  return ground;
}

class Ground {
  readonly #seen: Seen = new Map();
  readonly table = new AccessTable();
  readonly directories = new Set<BytePath>();
  readonly links: Link[] = [];
  readonly narrowings: Narrowing[] = [];
  readonly writes: Grant[] = [];
  /** Names that were asked for to be written, resolved up to the last one. */
  readonly writtenNames = new Set<BytePath>();

  claim(claim: PathClaim): void {
    const { path: asked, access, skipIfMissing } = claim;
    const seen = this.#look(asked);
    if (access === "write") {
      this.writtenNames.add(this.#nameOf(asked)).add(seen.found ? seen.path : seen.whole);
    } else this.narrowings.push({ asked, access, seen, skipIfMissing });
    // What is not there grants nothing.
    if (!seen.found) return;
    if (access === "write") this.writes.push({ claim, seen });
    this.table.claim(seen.path, access);
    this.#remember(seen);
    if (access !== "deny") this.links.push(...seen.links);
  }

  /** What matches now. What is made later does not: that it may be made was asked for as well. */
  denyMatches({ base }: GlobClaim, found: GlobMatches): void {
    const seen = this.#look(base);
    if ((seen.found ? seen.path : null) !== found.base) {
      throw new UnenforceableError(`${shownPath(base)} has changed while a deny glob was expanded`);
    }
    if (seen.found || seen.reason === "EACCES") {
      this.narrowings.push({ asked: base, access: "deny", seen, skipIfMissing: false });
    }
    if (!seen.found || !seen.isDirectory) return;
    for (const { path, isLink } of found.matches) {
      if (!isLink) this.table.claim(path, "deny");
      else {
        const target = this.#look(path);
        if (target.found && !target.isDirectory) this.table.claim(target.path, "deny");
      }
    }
  }

  /** Takes nothing away, and gives nothing of which something else was said. */
  allowMinimal(): void {
    for (const path of MINIMAL) {
      const seen = this.#look(path);
      if (!seen.found) continue;
      if (!this.table.isSpoken(seen.path)) this.table.claim(seen.path, "read");
      this.#remember(seen);
      this.links.push(...seen.links);
    }
  }

  protectNames(): void {
    for (const [root, access] of [...this.table.rules]) {
      if (access !== "write" || !this.directories.has(root)) continue;
      for (const name of PROTECTED_NAMES) this.#protectName(child(root, name), name === ".git");
    }
  }

  #protectName(path: BytePath, mayPointElsewhere: boolean): void {
    const seen = this.#look(path);
    if (!this.writtenNames.has(path)) this.#protect(path, seen);
    if (!mayPointElsewhere || !seen.found || seen.isDirectory) return;
    const target = gitDirectory(seen.path);
    if (target !== null) this.#protect(target, this.#look(target));
  }

  #protect(asked: BytePath, seen: Look): void {
    this.narrowings.push({ asked, access: "read", seen, skipIfMissing: false });
    if (!seen.found) return;
    this.table.protect(seen.path);
    this.#remember(seen);
  }

  #remember(seen: Look): void {
    if (seen.found && seen.isDirectory) this.directories.add(seen.path);
  }

  /** With the way there resolved, and the last name as it is. */
  #nameOf(path: BytePath): BytePath {
    const last = namesOf(path).at(-1);
    const parent = this.#look(parentOf(path));
    return last === undefined ? "/" : child(parent.found ? parent.path : parent.whole, last);
  }

  #look(path: BytePath): Look {
    return look(path, this.#seen);
  }
}

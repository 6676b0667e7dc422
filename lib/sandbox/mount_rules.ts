import { byDepth, type BytePath, parentOf, upwards } from "./byte_path.ts";
import type { MountRule, Rules } from "./rules.ts";
import type { AccessTable } from "./specificity.ts";
import type { Settled } from "./settle.ts";
import { UnenforceableError } from "./unenforceable.ts";

/** Each costs the start some microseconds, and the plan some of the room that it has. */
const MAX_MOUNTS = 16_384;

/** Mounts that make the table true, without those that would change nothing. */
export function mountRulesOf({ table, directories, absent, fixed }: Settled): MountRule[] {
  const said = new Map<BytePath, MountRule["kind"]>();
  for (const [path, access] of [...table.rules].sort(([one], [other]) => byDepth(one, other))) {
    if (path === "/") {
      if (access === "write") said.set(path, "write");
      continue;
    }
    if (access === table.accessTo(parentOf(path))) continue;
    said.set(path, access !== "deny" ? access : directories.has(path) ? "deny-directory" : "deny-file");
  }
  for (const path of absent) said.set(path, "absent");
  for (const path of waysTo(fixed, table)) if (!said.has(path)) said.set(path, "write");
  if (said.size > MAX_MOUNTS) throw new UnenforceableError(`more than ${MAX_MOUNTS} mounts`);

  const reopened = new Map<BytePath, BytePath[]>();
  for (const [path, kind] of said) {
    const above = path === "/" ? undefined : nearest(parentOf(path), said);
    if (above === undefined || kind !== "read" && kind !== "write") continue;
    if (said.get(above) !== "deny-directory") continue;
    const paths = reopened.get(above);
    if (paths === undefined) reopened.set(above, [path]);
    else paths.push(path);
  }
  return [...said].sort(([one], [other]) => byDepth(one, other)).map(([path, kind]) =>
    kind === "deny-directory"
      ? { kind, path, reopened: (reopened.get(path) ?? []).sort(byDepth) }
      : { kind, path }
  );
}

/**
 * The writable directories above them. Each is attached to where it is already: a mount point cannot be moved
 * away, and another directory with other things in it put in its place.
 */
function waysTo(fixed: ReadonlySet<BytePath>, table: AccessTable): Set<BytePath> {
  const ways = new Set<BytePath>();
  for (const path of fixed) {
    for (const at of upwards(parentOf(path))) {
      if (at === "/" || ways.has(at)) break;
      if (table.isWritable(at)) ways.add(at);
    }
  }
  return ways;
}

/** The symlinks that an empty view needs: where something else decides, the host's own are seen or hidden. */
export function linksOf({ table, links }: Settled): Rules["links"] {
  const free = links.filter(({ path }) => !table.isSpoken(path));
  return [...new Map(free.map((link) => [link.path, link])).values()];
}

function nearest(path: BytePath, said: ReadonlyMap<BytePath, unknown>): BytePath | undefined {
  for (const at of upwards(path)) if (said.has(at)) return at;
  return undefined;
}

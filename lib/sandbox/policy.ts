import type { Freshness } from "./glob_matches.ts";
import type { Entry, Intent } from "./intent.ts";
import { materialise } from "./materialise.ts";
import { linksOf, mountRulesOf } from "./mount_rules.ts";
import type { Rules } from "./rules.ts";
import { settle, type Settled } from "./settle.ts";

/**
 * What the intent means on this machine as it is now; what its patterns mean may be a moment old where that will do.
 * Looks at the disk and changes nothing. Throws UnenforceableError, or fails with it where there are patterns, for what
 * could not be kept up: then nothing may run.
 */
export function resolveRules(
  intent: Intent,
  env: { readonly TMPDIR?: string },
  patterns: Freshness = "new",
): Rules | Promise<Rules> {
  const { files, network } = intent;
  if (files.type === "unrestricted" || isWholeWrite(files.entries)) {
    return { view: "whole-write", mounts: [], links: [], network, whole: { read: true, write: true } };
  }
  const { entries, globScanMaxDepth } = files;
  const settled = settle(materialise(intent, entries, env), globScanMaxDepth, patterns);
  const rulesOf = (found: Settled) => rulesFrom(found, entries, network);
  return settled instanceof Promise ? settled.then(rulesOf) : rulesOf(settled);
}

function rulesFrom(settled: Settled, entries: readonly Entry[], network: Intent["network"]): Rules {
  const isMinimal = settled.table.accessTo("/") === "deny";
  return {
    view: isMinimal ? "minimal" : "whole-read",
    mounts: mountRulesOf(settled),
    links: isMinimal ? linksOf(settled) : [],
    network,
    whole: { read: !isMinimal && !entries.some(denies), write: false },
  };
}

/** All may be written, and nothing is said against it. */
function isWholeWrite(entries: readonly Entry[]): boolean {
  const isRoot = ({ path }: Entry) => path.kind === "special" && path.special === "root";
  return entries.some((entry) => isRoot(entry) && entry.access === "write") &&
    entries.every((entry) => entry.access === "write" || !narrows(entry));
}

function narrows({ path, access }: Entry): boolean {
  if (access === "deny") return !isUnknown(path);
  if (path.kind !== "special") return path.kind === "path";
  return path.special !== "root" && path.special !== "minimal" && path.special !== "unknown";
}

function denies({ path, access }: Entry): boolean {
  return access === "deny" && !isUnknown(path);
}

function isUnknown(path: Entry["path"]): boolean {
  return path.kind === "special" && path.special === "unknown";
}

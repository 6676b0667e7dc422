import type { Environment } from "../../lib/environment/environment.ts";
import type { TreeFacts } from "../../lib/process/limits.ts";
import type { Finding } from "./finding.ts";

const TIERS: Readonly<Record<TreeFacts["tier"], string>> = {
  cgroup: "each command has a cgroup, which ends with it as a whole",
  subreaper: "whoever leaves a command's group is found by what he descends from",
  group: "only a command's process group ends with it",
};

/** `cgroup (…); limits wallMs, …`. */
export function shownTrees({ tier, limits, failing }: TreeFacts): string {
  const why = failing === null ? "" : ` (${failing})`;
  return `${tier}${why}: ${TIERS[tier]}; limits ${limits.join(", ")}`;
}

/** What ends with a command there. A plain Codex server is spoken of elsewhere. */
export async function* checkTrees(environment: Environment): AsyncGenerator<Finding> {
  const { trees } = await environment.backend().abilities();
  if (trees === null) return;
  const isWeak = trees.tier === "group";
  yield {
    name: "process trees",
    verdict: isWeak ? "warn" : "ok",
    detail: shownTrees(trees),
    hint: isWeak ? "mount /proc there, or run the server on Linux" : null,
  };
}

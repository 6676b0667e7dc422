import { existsSync } from "node:fs";
import type { LimitName, TreeFacts } from "../../limits.ts";
import { adoptOrphans } from "../libc.ts";
import { procIsOurs } from "../own_proc.ts";
import { CgroupHome } from "./cgroup_home.ts";
import { canMark } from "./marks.ts";

/** What we count ourselves, wherever we are. */
const ALWAYS: readonly LimitName[] = ["wallMs", "idleMs", "outputBytes"];

export interface TreeSupport extends TreeFacts {
  /** Only with the tier `cgroup`. */
  readonly home: CgroupHome | null;
}

let canFollow: boolean | undefined;
let best: TreeSupport | undefined;

/** Whether who leaves his process's group can still be told to be its. Settled at the first start. */
export function followsDescendants(): boolean {
  return (canFollow ??= process.platform === "linux" && procIsOurs() &&
    existsSync(`/proc/self/task/${process.pid}/children`) && canMark() && adoptOrphans());
}

/** For whoever runs many: a cgroup for each, where that can be. Tried once, for the first who wants to know. */
export function bestTrees(): TreeSupport {
  return (best ??= findBest());
}

/** For whoever runs a few and ends: to find out about cgroups takes longer than a short command does. */
export function quickTrees(): TreeSupport {
  return withoutCgroups(null);
}

function withoutCgroups(failing: string | null): TreeSupport {
  if (followsDescendants()) return { tier: "subreaper", limits: [...ALWAYS, "cpuMs"], failing, home: null };
  const why = process.platform === "linux" ? "/proc does not list children" : "not on this system";
  return { tier: "group", limits: ALWAYS, failing: why, home: null };
}

function findBest(): TreeSupport {
  if (!followsDescendants()) return withoutCgroups(null);
  const found = CgroupHome.find();
  if ("why" in found) return withoutCgroups(found.why);
  const { home } = found;
  process.on("exit", () => home.remove());
  const limits: LimitName[] = [...ALWAYS, "cpuMs"];
  if (home.controllers.has("memory")) limits.push("memoryBytes");
  if (home.controllers.has("pids")) limits.push("pids");
  return { tier: "cgroup", limits, failing: null, home };
}

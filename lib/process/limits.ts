import type { Signal } from "./signal.ts";

// What may be asked of a process beyond running: how much it may take, and what becomes of those it leaves.

export const LEFTOVERS = ["keep", "kill", "report"] as const;
/** `kill`: at the end of its output at the latest; `report` keeps them and tells who they are. */
export type Leftovers = (typeof LEFTOVERS)[number];

export const LIMIT_NAMES = ["wallMs", "idleMs", "memoryBytes", "pids", "cpuMs", "outputBytes"] as const;
export type LimitName = (typeof LIMIT_NAMES)[number];
export type Limits = Readonly<Partial<Record<LimitName, number>>>;

/** Asked by a signal, and ended by force after so long. */
export interface Ending {
  readonly signal: Signal;
  readonly ms: number;
}

/**
 * How far a place can follow those whom a process starts: into whatever session and to whatever parent they go and all at
 * once, one by one, or only as long as they stay in its group.
 */
export type TreeTier = "cgroup" | "subreaper" | "group";

export interface TreeFacts {
  readonly tier: TreeTier;
  readonly limits: readonly LimitName[];
  /** Why it is not a better one. */
  readonly failing: string | null;
}

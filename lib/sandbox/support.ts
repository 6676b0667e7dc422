import type { Mechanism } from "./mechanism.ts";
import { mountPlanOf } from "./mounts.ts";
import { type Confined, planStart } from "./plan.ts";
import { prepareStart } from "./prepared_start.ts";
import type { Rules } from "./rules.ts";
import { SandboxStartError } from "./status.ts";
import { surroundings } from "./surroundings.ts";

/** What this machine lets us do, best first. */
export type Tier = "user namespaces" | "capabilities" | "seccomp only" | "none";

export interface Support {
  readonly tier: Tier;
  /** Why it is not the first tier, or not all of it: the step that the system refused. */
  readonly failing: string | null;
  /** Whether the sandbox has a /proc of its own. */
  readonly freshProc: boolean;
  /** How to confine where a view is needed; null where that cannot be. */
  readonly mechanism: Mechanism & { kind: "namespaces" } | null;
}

const TRUE = ["/bin/true", "/usr/bin/true", "/run/current-system/sw/bin/true"];

const PROBED: Rules = {
  view: "whole-read",
  mounts: [],
  links: [],
  network: "restricted",
  whole: { read: true, write: false },
};

const LADDER = [
  { tier: "user namespaces", userNamespace: true, freshProc: true },
  { tier: "capabilities", userNamespace: false, freshProc: true },
  // Only with a user namespace: without one, /proc/PID/root of another process of ours could be entered.
  { tier: "user namespaces", userNamespace: true, freshProc: false },
] as const;

/** Runs something real in each way until one works: what the system says about itself is not the whole truth. */
export async function probeSupport(): Promise<Support> {
  let failing: string | null = null;
  for (const { tier, userNamespace, freshProc } of LADDER) {
    const mechanism = { kind: "namespaces", userNamespace, freshProc } as const;
    const refused = await tryOut(mechanism);
    if (refused === null) return { tier, failing, freshProc, mechanism };
    failing ??= refused;
  }
  const refused = await tryOut({ kind: "seccomp" });
  const tier = refused === null ? "seccomp only" : "none";
  return { tier, failing: refused ?? failing, freshProc: false, mechanism: null };
}

/** The step that failed, or null. */
async function tryOut(mechanism: Mechanism): Promise<string | null> {
  try {
    const around = surroundings();
    const view = mechanism.kind === "seccomp" ? null : mountPlanOf(PROBED, () => "directory");
    const confined: Confined = { view, network: "restricted" };
    const start = { programs: TRUE, argv: ["true"], cwd: "/", env: {}, tty: false };
    const wrapped = prepareStart(around.arch, planStart(confined, start, mechanism, around), () => {});
    const { program, argv0, cwd, env, extraFds } = wrapped.command;
    let child: Bun.Subprocess;
    try {
      child = Bun.spawn([program], { argv0, cwd, env, stdio: ["ignore", "ignore", "ignore", ...extraFds] });
    } catch (error) {
      wrapped.abandon();
      throw error;
    }
    await wrapped.began();
    const code = await child.exited;
    return code === 0 ? null : `true ended with ${child.signalCode ?? code}`;
  } catch (error) {
    if (error instanceof SandboxStartError || error instanceof Error) return error.message;
    throw error;
  }
}

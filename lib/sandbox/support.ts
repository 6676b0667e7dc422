import { osErrorWords } from "../base/os_error.ts";
import type { Mechanism } from "./mechanism.ts";
import { mountPlanOf } from "./mounts.ts";
import { type Confined, planStart } from "./plan.ts";
import { prepareStart } from "./prepared_start.ts";
import { probedRules } from "./probed_rules.ts";
import type { Rules } from "./rules.ts";
import { SandboxStartError } from "./status.ts";
import { surroundings } from "./surroundings.ts";

/** What this machine lets us do, best first. */
export type Tier = "user namespaces" | "capabilities" | "seccomp only" | "none";

export interface Support {
  readonly tier: Tier;
  /** Why something has to be refused here, as the step that the system refused; null where nothing has. */
  readonly failing: string | null;
  /** Why nothing better was taken, though what was taken may do as well; null for the first that was tried. */
  readonly passedOver: string | null;
  /** Whether the sandbox has a /proc of its own. */
  readonly freshProc: boolean;
  /** How to confine where a view is needed; null where that cannot be. */
  readonly mechanism: Mechanism & { kind: "namespaces" } | null;
  /** Whether it will be the same the next time. */
  readonly isLasting: boolean;
}

const TRUE = ["/bin/true", "/usr/bin/true", "/run/current-system/sw/bin/true"];

const LADDER = [
  { tier: "user namespaces", userNamespace: true, freshProc: true },
  { tier: "capabilities", userNamespace: false, freshProc: true },
  // Only with a user namespace: without one, /proc/PID/root of another process of ours could be entered.
  { tier: "user namespaces", userNamespace: true, freshProc: false },
] as const;

/** Runs something real in each way until one works: what the system says about itself is not the whole truth. */
export async function probeSupport(): Promise<Support> {
  using probed = probedRules();
  let passedOver: string | null = null;
  let isLasting = true;
  const tryOut = async (mechanism: Mechanism): Promise<string | null> => {
    const refusal = await refusalOf(mechanism, probed.rules);
    if (refusal === null) return null;
    passedOver ??= refusal.step;
    isLasting &&= refusal.isLasting;
    return refusal.step;
  };
  for (const { tier, userNamespace, freshProc } of LADDER) {
    const mechanism = { kind: "namespaces", userNamespace, freshProc } as const;
    if (await tryOut(mechanism) !== null) continue;
    return { tier, failing: freshProc ? null : passedOver, passedOver, freshProc, mechanism, isLasting };
  }
  const refused = await tryOut({ kind: "seccomp" });
  const tier = refused === null ? "seccomp only" : "none";
  return { tier, failing: refused ?? passedOver, passedOver, freshProc: false, mechanism: null, isLasting };
}

interface Refusal {
  /** What failed. */
  readonly step: string;
  /** Whether it will fail the next time too. */
  readonly isLasting: boolean;
}

/** Other than these, errors tell of a moment in which there was too little of something. */
const LASTING = new Set(["EPERM", "EACCES", "ENOSYS", "EINVAL", "ENOSPC", "EUSERS"]);

async function refusalOf(mechanism: Mechanism, rules: Rules): Promise<Refusal | null> {
  try {
    const around = surroundings();
    const view = mechanism.kind === "seccomp" ? null : mountPlanOf(rules, () => "directory");
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
    return code === 0 ? null : { step: `true ended with ${child.signalCode ?? code}`, isLasting: false };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const isLasting = error instanceof SandboxStartError && LASTING.has(error.errno);
    return { step: osErrorWords(error), isLasting };
  }
}

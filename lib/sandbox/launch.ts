import { lstatSync } from "node:fs";
import { type BytePath, nativeBytes } from "./byte_path.ts";
import { holdMaskPoints } from "./mask_points.ts";
import type { Mechanism, SandboxStart } from "./mechanism.ts";
import { mountPlanOf } from "./mounts.ts";
import { planStart } from "./plan.ts";
import { prepareStart, type Wrapped } from "./prepared_start.ts";
import type { Rules } from "./rules.ts";
import { probeSupport, type Support } from "./support.ts";
import { surroundings } from "./surroundings.ts";
import { UnenforceableError } from "./unenforceable.ts";

export type { SandboxStart } from "./mechanism.ts";
export type { Wrapped } from "./prepared_start.ts";

/** Rules that this machine can enforce, ready for starts. */
export interface Confinement {
  /** Nothing runs yet. Throws an UnenforceableError where the disk has changed beyond what was decided. */
  wrap(start: SandboxStart): Wrapped;
}

/** Confines programs by rules. One for a server: what the machine can do is tried once. */
export class Sandbox {
  #support: Promise<Support> | undefined;

  support(): Promise<Support> {
    return (this.#support ??= probeSupport());
  }

  /** Decides before anything runs: throws an UnenforceableError where less than all of it could be enforced. */
  async confine(rules: Rules): Promise<Confinement> {
    const mechanism = mechanismFor(rules, await this.support());
    mountPlanOf(rules, kindOf); // for its refusals
    return { wrap: (start) => wrap(rules, mechanism, start) };
  }
}

function mechanismFor(rules: Rules, { tier, failing, freshProc, mechanism }: Support): Mechanism {
  if (tier === "none") throw new UnenforceableError(failing ?? "no mechanism");
  if (rules.view === "whole-write") return { kind: "seccomp" };
  if (mechanism === null) throw new UnenforceableError(failing ?? "no namespaces");
  if (rules.view === "minimal" && !freshProc) throw new UnenforceableError(failing ?? "no /proc");
  return mechanism;
}

function wrap(rules: Rules, mechanism: Mechanism, start: SandboxStart): Wrapped {
  const around = surroundings();
  const held = holdMaskPoints(rules);
  try {
    const view = mechanism.kind === "seccomp" ? null : mountPlanOf(held.rules, kindOf);
    const plan = planStart({ view, network: rules.network }, start, mechanism, around);
    return prepareStart(around.arch, plan, held.release);
  } catch (error) {
    held.release();
    throw error;
  }
}

/** What it is in between is found out by the mount that fails then. */
export function kindOf(path: BytePath): "directory" | "file" {
  return lstatSync(nativeBytes(path), { throwIfNoEntry: false })?.isDirectory() === false
    ? "file"
    : "directory";
}

import { lstatSync } from "node:fs";
import type { Outlets } from "./forward.ts";
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

/** Confines programs by rules. One for a server: what the machine can do is tried until it is known for good. */
export class Sandbox {
  #support: Promise<Support> | undefined;

  support(): Promise<Support> {
    return (this.#support ??= this.#probe());
  }

  async #probe(): Promise<Support> {
    let isLasting = false;
    try {
      const support = await probeSupport();
      isLasting = support.isLasting;
      return support;
    } finally {
      if (!isLasting) this.#support = undefined;
    }
  }

  /**
   * Decides before anything runs: throws an UnenforceableError where less than all of it could be enforced. With `ports`,
   * those of the host's loopback are the whole network, whatever the rules say of it.
   */
  async confine(rules: Rules, ports?: readonly number[]): Promise<Confinement> {
    const shown = ports === undefined ? rules : inView(rules);
    const mechanism = mechanismFor(shown, await this.support());
    mountPlanOf(shown, kindOf); // for its refusals
    const outlets = ports === undefined ? undefined : await outletsTo(ports);
    return { wrap: (start) => wrap(shown, mechanism, start, outlets) };
  }
}

function mechanismFor(rules: Rules, { tier, failing, freshProc, mechanism }: Support): Mechanism {
  if (tier === "none") throw new UnenforceableError(failing ?? "no mechanism");
  if (rules.view === "whole-write") return { kind: "seccomp" };
  if (mechanism === null) throw new UnenforceableError(failing ?? "no namespaces");
  if (rules.view === "minimal" && !freshProc) throw new UnenforceableError(failing ?? "no /proc");
  return mechanism;
}

/** Where a filter of calls does not do, what is as it is has to be shown as everything else is. */
function inView(rules: Rules): Rules {
  if (rules.view !== "whole-write") return rules;
  return { ...rules, view: "whole-read", mounts: [{ kind: "write", path: "/" }] };
}

function wrap(
  rules: Rules,
  mechanism: Mechanism,
  start: SandboxStart,
  outletsOf: (() => Outlets) | undefined,
): Wrapped {
  const around = surroundings();
  const held = holdMaskPoints(rules);
  let outlets: Outlets | undefined;
  try {
    outlets = outletsOf?.();
    const view = mechanism.kind === "seccomp" ? null : mountPlanOf(held.rules, kindOf);
    const plan = planStart(
      { view, network: rules.network, outlets: outlets?.ports },
      start,
      mechanism,
      around,
    );
    return prepareStart(around.arch, plan, held.release, outlets);
  } catch (error) {
    held.release();
    outlets?.end();
    throw error;
  }
}

/** Loaded where it is needed: a start without a managed network shall not wait for what makes servers. */
async function outletsTo(ports: readonly number[]): Promise<() => Outlets> {
  const { Outlets } = await import("./forward.ts");
  return () => Outlets.make(ports);
}

/** What it is in between is found out by the mount that fails then. */
export function kindOf(path: BytePath): "directory" | "file" {
  return lstatSync(nativeBytes(path), { throwIfNoEntry: false })?.isDirectory() === false
    ? "file"
    : "directory";
}

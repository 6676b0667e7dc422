import type { Abilities, StartOptions } from "../../lib/process/backend.ts";
import type { Limits } from "../../lib/process/limits.ts";
import { CommandError, EXIT } from "../exit_status.ts";
import type { RunPlan } from "./run_plan.ts";

/** What is left to the place where the command runs; a plain Codex server can do none of it. */
export type Enforced = Pick<StartOptions, "limits" | "leftovers" | "ending">;

/** For an answer, and for the news of an end, to come from far away. */
const TRAVEL_MS = 1_000;

/** Throws what a plain Codex server cannot do and nobody else can do for it. */
export function enforced(plan: RunPlan, { trees }: Abilities): Enforced {
  const { leftovers, ending } = plan;
  if (trees === null) {
    if (leftovers === "kill") return {};
    throw new CommandError(
      `--leftovers ${leftovers} needs a server of ours: this one is a plain Codex server`,
      "leave it out, or run `exec-server serve` there",
      EXIT.notStarted,
    );
  }
  const limits = placeLimits(plan);
  return { leftovers, ...(limits === null ? {} : { limits, ending }) };
}

/**
 * How long we wait ourselves: as long as was asked where nobody else does, else until the place must have done it and
 * cannot have told us.
 */
export function ownLimits(plan: RunPlan, { trees }: Abilities): RunPlan["limits"] {
  if (trees === null || placeLimits(plan) === null) return plan.limits;
  const later = (ms: number | null) => ms === null ? null : ms + plan.ending.ms + TRAVEL_MS;
  return { wallMs: later(plan.limits.wallMs), idleMs: later(plan.limits.idleMs) };
}

/** Who waits for the last holder of the output has a limit on that as well, which only we know of. */
function placeLimits({ limits: { wallMs, idleMs }, waitClosed }: RunPlan): Limits | null {
  if (waitClosed || (wallMs === null && idleMs === null)) return null;
  return { ...(wallMs === null ? {} : { wallMs }), ...(idleMs === null ? {} : { idleMs }) };
}

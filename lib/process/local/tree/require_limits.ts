import { ProcessError } from "../../process_error.ts";
import type { Limits, TreeFacts } from "../../limits.ts";

/** Refuses limits that nobody would enforce: a promise that is not kept is worse than none. */
export function requireLimits(limits: Limits, { tier, limits: able }: TreeFacts): void {
  for (const [name, value] of Object.entries(limits)) {
    if (!able.some((known) => known === name)) {
      throw new ProcessError(
        "invalid",
        `limit ${name} cannot be enforced on this executor (process trees: ${tier})`,
      );
    }
    if (value < 1) throw new ProcessError("invalid", `limit ${name} must be at least 1`);
  }
}

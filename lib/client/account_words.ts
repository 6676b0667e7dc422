import type { Account, Outcome } from "../process/outcome.ts";
import type { AccountMembers } from "../wire/client_messages.ts";

/** What a server told of an end; null for one that told the exit code alone. */
export function accountOf({ outcome, usage, leftovers }: AccountMembers): Account | null {
  if (outcome === null || usage === null) return null;
  const { wallMs, cpuMs, maxRssBytes, bytes } = usage;
  const counted = Object.entries(bytes).filter((entry) => entry[1] !== null);
  return {
    outcome: plain(outcome),
    usage: { wallMs, cpuMs, maxRssBytes, bytes: Object.fromEntries(counted) },
    leftovers: leftovers === null ? null : { count: leftovers.count, first: leftovers.processes },
  };
}

function plain(outcome: NonNullable<AccountMembers["outcome"]>): Outcome {
  if (outcome.kind !== "limit") return outcome;
  const { kind, limit, code, signal } = outcome;
  return { kind, limit, ...(code === null ? {} : { code }), ...(signal === null ? {} : { signal }) };
}

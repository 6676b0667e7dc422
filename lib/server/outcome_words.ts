import type { Leftovers, Limits } from "../process/limits.ts";
import { LIMIT_NAMES } from "../process/limits.ts";
import type { StartOptions } from "../process/backend.ts";
import type { Account } from "../process/outcome.ts";
import type { GapEvent } from "../process/process_event.ts";
import type { Signal } from "../process/signal.ts";
import type { Agreed } from "../wire/extensions.ts";
import type { ToldAccount, ToldGap } from "../wire/process_messages.ts";

/** What of a start's wishes came with `outcome.v1`; absent and null are the same. */
export interface AskedOutcome {
  readonly limits?: Readonly<Partial<Record<keyof Limits, number | null>>> | null | undefined;
  readonly leftovers?: Leftovers | null | undefined;
  readonly ending?: { readonly signal: Signal; readonly graceMs: number } | null | undefined;
}

/** Nothing for a peer that did not ask. */
export function outcomeOptions(
  { limits, leftovers, ending }: AskedOutcome,
): Pick<StartOptions, "limits" | "leftovers" | "ending"> {
  const asked = LIMIT_NAMES.flatMap((name) => {
    const value = limits?.[name] ?? null;
    return value === null ? [] : [[name, value] as const];
  });
  return {
    ...(asked.length === 0 ? {} : { limits: Object.fromEntries(asked) }),
    ...(leftovers ? { leftovers } : {}),
    ...(ending ? { ending: { signal: ending.signal, ms: ending.graceMs } } : {}),
  };
}

/** What a peer is told of an end; null for one that does not understand it. */
export function accountInWords(account: Account | undefined, agreed: Agreed): ToldAccount | null {
  if (account === undefined || !agreed.has("outcome.v1")) return null;
  const { outcome, usage, leftovers } = account;
  return {
    outcome,
    usage,
    ...(leftovers === null ? {} : { leftovers: { count: leftovers.count, processes: leftovers.first } }),
  };
}

export function gapInWords({ fromSeq, toSeq, bytes }: GapEvent): ToldGap {
  return { fromSeq, toSeq, bytes };
}

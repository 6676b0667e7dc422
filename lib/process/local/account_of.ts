import { constants } from "node:os";
import type { LimitName } from "../limits.ts";
import type { Account, Outcome } from "../outcome.ts";
import type { Stream } from "../process_event.ts";
import type { ChildExit, Spent } from "./child.ts";
import type { ProcessTree } from "./tree/process_tree.ts";

/** What was counted while a process lived. */
export interface Counted {
  startedAt: number;
  endedAt?: number;
  readonly bytes: Partial<Record<Stream, number>>;
  spent?: Spent;
}

/** All that is to be said of an end. To be asked when that is told: whoever lives then was left. */
export function accountOf(
  exit: ChildExit,
  limit: LimitName | null,
  counted: Counted,
  tree: ProcessTree,
): Account {
  const { startedAt, endedAt = startedAt, bytes, spent } = counted;
  const cpuMs = tree.totalCpuMs() ?? spent?.cpuMs ?? null;
  return {
    outcome: outcomeOf(exit, limit),
    usage: {
      wallMs: Math.round(endedAt - startedAt),
      cpuMs: cpuMs === null ? null : Math.round(cpuMs),
      maxRssBytes: spent?.maxRssBytes ?? null,
      bytes: { ...bytes },
    },
    leftovers: tree.leftovers === "report" ? tree.left() : null,
  };
}

function outcomeOf(exit: ChildExit, limit: LimitName | null): Outcome {
  const end = "signal" in exit ? { signal: nameOf(exit.signal) } : exit.code >= 0 ? { code: exit.code } : {};
  if (limit !== null) return { kind: "limit", limit, ...end };
  if (end.signal !== undefined) return { kind: "signalled", signal: end.signal };
  return end.code === undefined ? { kind: "unknown" } : { kind: "exited", code: end.code };
}

/** Real-time signals have numbers only. */
function nameOf(signal: number): string {
  const name = Object.entries(constants.signals).find(([, number]) => number === signal)?.[0];
  return name === undefined ? String(signal) : name.replace(/^SIG/, "");
}

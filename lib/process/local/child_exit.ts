import { constants } from "node:os";
import type { ChildExit, Spent } from "./child.ts";

/** The runtime's two fields for one outcome; a real-time signal comes as a number. */
export function exitOf(code: number | null, signal: number | string | null): ChildExit {
  if (signal === null) return { code: code ?? -1 };
  if (typeof signal === "number") return { signal };
  const number = (constants.signals as Record<string, number>)[signal];
  return number === undefined ? { code: -1 } : { signal: number };
}

/** What the runtime was told when it reaped the child. */
export function spentOf(child: Bun.Subprocess): Spent {
  const usage = child.resourceUsage();
  if (usage === undefined) return { cpuMs: null, maxRssBytes: null };
  const { maxRSS } = usage;
  // Before it became another program it was a copy of us, and that counts too: what is not more says nothing.
  const ours = process.resourceUsage().maxRSS * 1_024;
  return { cpuMs: Number(usage.cpuTime.total) / 1_000, maxRssBytes: maxRSS > ours ? maxRSS : null };
}

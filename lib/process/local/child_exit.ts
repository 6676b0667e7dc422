import { constants } from "node:os";
import type { ChildExit } from "./child.ts";

/** The runtime's two fields for one outcome; a real-time signal comes as a number. */
export function exitOf(code: number | null, signal: number | string | null): ChildExit {
  if (signal === null) return { code: code ?? -1 };
  if (typeof signal === "number") return { signal };
  const number = (constants.signals as Record<string, number>)[signal];
  return number === undefined ? { code: -1 } : { signal: number };
}

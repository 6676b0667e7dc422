import { fstatSync, statSync } from "node:fs";
import type { Abilities } from "../../lib/process/backend.ts";
import { CommandError, EXIT } from "../exit_status.ts";
import type { RunPlan } from "./run_plan.ts";
import { stdinIsTerminal } from "./user_terminal.ts";

const STDIN = 0;

/**
 * What becomes of our stdin; `endless` where its end cannot be told there, `spool` where it must be there as a whole
 * before the command starts.
 */
export type StdinChoice = "forward" | "endless" | "spool" | "none";

/**
 * Decides whether the command gets our stdin. Throws where it would wait for an end of input that this place cannot
 * be told: an empty input needs none, and a person at a terminal can be told.
 */
export function stdinFor(plan: RunPlan, abilities: Abilities): StdinChoice {
  if (plan.stdin === "none") return "none";
  if (abilities.closeInput || plan.terminal) return "forward";
  if (stdinIsTerminal()) return "endless";
  if (isEmpty()) return "none";
  if (mayEnd()) return "spool";
  throw new CommandError(
    "this server is a plain Codex server: it cannot be told where the input ends, so the command might wait for ever",
    "pass -n to give it no input, or -t to give it a terminal",
    EXIT.notStarted,
  );
}

/** Certainly without a byte: /dev/null, an empty file, or closed. A silent pipe may still speak. */
function isEmpty(): boolean {
  try {
    const stdin = fstatSync(STDIN);
    return stdin.isFile()
      ? stdin.size === 0
      : stdin.isCharacterDevice() && stdin.rdev === statSync("/dev/null").rdev;
  } catch {
    return true; // closed
  }
}

/** A device would be read for ever. */
function mayEnd(): boolean {
  const stdin = fstatSync(STDIN);
  return stdin.isFile() || stdin.isFIFO() || stdin.isSocket();
}

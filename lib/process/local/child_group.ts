import { existsSync } from "node:fs";
import type { Signal } from "../backend.ts";

/**
 * A child's process group: everyone it started who did not leave it. The group outlives its leader as long as
 * one member does, and its number is not given away meanwhile.
 */
export class ChildGroup {
  #leader: "alive" | "reaped" = "alive";
  #empty = false;

  constructor(private readonly pid: number) {}

  signal(signal: Signal): void {
    this.#send(`SIG${signal}`);
  }

  /** The leader's number may be given to a stranger from now on, once the last member is gone. */
  leaderReaped(): void {
    this.#leader = "reaped";
    this.#empty = !this.#send(0);
  }

  /** True if the signal reached somebody. */
  #send(signal: NodeJS.Signals | 0): boolean {
    if (this.#empty) return false;
    // A living process of that number is a stranger: as long as one of ours were left, it could not be given.
    if (this.#leader === "reaped" && existsSync(`/proc/${this.pid}`)) return false;
    try {
      process.kill(-this.pid, signal);
      return true;
    } catch {
      // Nobody left, or nobody whom we may reach.
      return false;
    }
  }
}

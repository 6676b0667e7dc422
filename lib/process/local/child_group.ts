import { existsSync } from "node:fs";
import { osErrorCode, osErrorText } from "../../base/os_error.ts";
import type { Signal } from "../backend.ts";
import { ProcessError } from "../process_error.ts";
import { procIsOurs } from "./own_proc.ts";

/**
 * A child's process group: everyone it started who did not leave it. The group outlives its leader as long as
 * one member does, and its number is not given away meanwhile.
 */
export class ChildGroup {
  #leader: "alive" | "reaped" = "alive";
  #empty = false;

  constructor(private readonly pid: number) {}

  /** Throws a ProcessError when the members belong to somebody whom we may not signal. */
  signal(signal: Signal): void {
    if (this.#send(`SIG${signal}`) === "refused") {
      throw new ProcessError("signal", `failed to signal process: ${osErrorText("EPERM")}`);
    }
  }

  /** Kills whoever is there and may be killed. */
  kill(): void {
    this.#send("SIGKILL");
  }

  /** The leader's number may be given to a stranger from now on, once the last member is gone. */
  leaderReaped(): void {
    this.#leader = "reaped";
    this.#empty = this.#send(0) === "nobody";
  }

  #send(signal: NodeJS.Signals | 0): "sent" | "nobody" | "refused" {
    if (this.#empty) return "nobody";
    // A living process of that number is a stranger: as long as one of ours were left, it could not be given.
    if (this.#leader === "reaped" && procIsOurs() && existsSync(`/proc/${this.pid}`)) return "nobody";
    try {
      process.kill(-this.pid, signal);
      return "sent";
    } catch (error) {
      return osErrorCode(error) === "EPERM" ? "refused" : "nobody";
    }
  }
}

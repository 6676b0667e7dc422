import { availableParallelism } from "node:os";
import type { Clock, Timer } from "../../base/clock.ts";
import type { LimitName, Limits } from "../limits.ts";
import type { ProcessTree } from "./tree/process_tree.ts";

/** How often the kernel is asked whether it had to enforce something. */
const LOOK_MS = 100;
/** Nobody means a limit on processor time to the millisecond. */
const SHORTEST_LOOK_MS = 10;

/** Tells once that a process has met a limit. What limits a tree by itself is asked for in between. */
export class LimitWatch {
  #wall: Timer | null = null;
  #idle: Timer | null = null;
  #look: Timer | null = null;
  #printed = 0;
  #held = 0;
  #over = false;

  constructor(
    private readonly limits: Limits,
    private readonly clock: Clock,
    private readonly tree: ProcessTree,
    private readonly met: (limit: LimitName) => void,
  ) {}

  /** It runs from now on. */
  begin(): void {
    const { wallMs } = this.limits;
    if (wallMs !== undefined) this.#wall = this.clock.after(wallMs, () => this.#meet("wallMs"));
    this.#restartIdle();
    this.#lookLater();
  }

  /** It printed so much. While `held` is not settled nobody takes more, and its silence is not its own. */
  printed(bytes: number, held: Promise<void> | null): void {
    if (this.#over) return;
    this.#printed += bytes;
    if (this.limits.outputBytes !== undefined && this.#printed > this.limits.outputBytes) {
      return this.#meet("outputBytes");
    }
    if (this.limits.idleMs === undefined) return;
    if (held === null) return this.#restartIdle();
    this.#held += 1;
    this.#idle?.cancel();
    void held.then(() => {
      this.#held -= 1;
      this.#restartIdle();
    });
  }

  end(): void {
    this.#over = true;
    for (const timer of [this.#wall, this.#idle, this.#look]) timer?.cancel();
  }

  #restartIdle(): void {
    const { idleMs } = this.limits;
    if (idleMs === undefined || this.#over || this.#held > 0) return;
    this.#idle?.cancel();
    this.#idle = this.clock.after(idleMs, () => this.#meet("idleMs"));
  }

  #lookLater(): void {
    const { cpuMs, memoryBytes, pids } = this.limits;
    if (this.#over || (cpuMs === undefined && memoryBytes === undefined && pids === undefined)) return;
    // It cannot use more than all processors all the time.
    const left = cpuMs === undefined ? LOOK_MS : (cpuMs - (this.tree.cpuMs() ?? 0)) / availableParallelism();
    const ms = memoryBytes === undefined && pids === undefined ? left : Math.min(left, LOOK_MS);
    this.#look = this.clock.after(Math.max(ms, SHORTEST_LOOK_MS), () => this.#lookNow());
  }

  #lookNow(): void {
    const breach = this.tree.breach();
    if (breach !== null) return this.#meet(breach);
    const { cpuMs } = this.limits;
    if (cpuMs !== undefined && (this.tree.cpuMs() ?? 0) >= cpuMs) return this.#meet("cpuMs");
    this.#lookLater();
  }

  #meet(limit: LimitName): void {
    if (this.#over) return;
    this.end();
    this.met(limit);
  }
}

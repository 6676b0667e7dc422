import { countIn, isEmpty, membersOf, writeCgroup } from "./cgroup_files.ts";

export interface SeatLimits {
  readonly memoryBytes?: number;
  readonly pids?: number;
}

/** What the kernel counts when a limit was met. */
const BREACHES = [
  ["memoryBytes", "memory.events", "oom_kill"],
  ["pids", "pids.events", "max"],
] as const;

/** The cgroup of one process and of all who descend from it. Nobody leaves it who may not write into another. */
export class CgroupSeat {
  #usedBefore = 0;
  #used = 0;
  #wasKilled = false;

  constructor(readonly directory: string, private readonly limits: SeatLimits) {
    const { memoryBytes, pids } = limits;
    if (memoryBytes !== undefined) {
      writeCgroup(directory, "memory.max", String(memoryBytes));
      writeCgroup(directory, "memory.swap.max", "0");
      writeCgroup(directory, "memory.oom.group", "1");
    }
    if (pids !== undefined) writeCgroup(directory, "pids.max", String(pids));
  }

  /** Limits stay; and whoever is born into one in which everybody was killed once is killed as well. */
  get isWorn(): boolean {
    return this.#wasKilled || this.limits.memoryBytes !== undefined || this.limits.pids !== undefined;
  }

  /** For the next process. */
  begin(): void {
    this.#usedBefore = this.#used;
  }

  members(): number[] {
    return membersOf(this.directory);
  }

  get isEmpty(): boolean {
    return isEmpty(this.directory);
  }

  /** Kills everybody in it at once; whoever is just being born is killed as well. */
  kill(): void {
    this.#wasKilled = true;
    writeCgroup(this.directory, "cgroup.kill", "1");
  }

  /** Of all who were ever in it. */
  cpuMs(): number {
    this.#used = this.#usedMs();
    return this.#used - this.#usedBefore;
  }

  /** The limit that the kernel had to enforce. */
  breach(): "memoryBytes" | "pids" | null {
    const breach = BREACHES.find(([limit, file, count]) =>
      this.limits[limit] !== undefined && (countIn(this.directory, file, count) ?? 0) > 0
    );
    return breach?.[0] ?? null;
  }

  #usedMs(): number {
    return (countIn(this.directory, "cpu.stat", "usage_usec") ?? 0) / 1_000;
  }
}

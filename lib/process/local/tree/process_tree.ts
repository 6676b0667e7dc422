import { osErrorCode } from "../../../base/os_error.ts";
import type { Leftovers, Limits } from "../../limits.ts";
import type { Leftover } from "../../outcome.ts";
import type { Signal } from "../../signal.ts";
import type { CgroupSeat } from "./cgroup_seat.ts";
import { childrenOf, type Kin, kinOf } from "./kin.ts";
import { type Mark, marked, newMark } from "./marks.ts";
import { orphans } from "./orphans.ts";
import { followsDescendants, type TreeSupport } from "./tree_support.ts";

/** Whoever was told to die takes a moment to, and what he started meanwhile is looked for once more. */
const LOOK_AGAIN_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];
/** Looks that follow each other at once: who is being started at the first is there at the second. */
const LOOKS_AT_ONCE = 3;
/** Longer lists help nobody. */
const MOST_TOLD = 32;

/** A process and all who descend from it, whatever session, group or parent they have by now. */
export class ProcessTree {
  readonly #mark: Mark | null = followsDescendants() ? newMark() : null;
  /** Taken for the spawn. */
  #seat: CgroupSeat | null = null;
  #leader: { readonly pid: number; state: "alive" | "reaped" } | null = null;
  #dying = false;
  /** Dead, or about to be. */
  readonly #killed = new Set<number>();
  /** Once nobody is left: what the seat had counted. It is somebody else's from then on. */
  #over: { readonly cpuMs: number | null; readonly breach: "memoryBytes" | "pids" | null } | null = null;

  /** With nothing wanted of it, it only keeps its dead from staying. */
  constructor(
    private readonly wanted: { readonly leftovers?: Leftovers; readonly limits?: Limits },
    private readonly support: () => TreeSupport,
  ) {}

  /** Whether more than the group of its first process is meant. */
  get isWanted(): boolean {
    return this.wanted.leftovers !== undefined || this.wanted.limits !== undefined;
  }

  /** What becomes of those who outlive their first process; null: as with Codex. */
  get leftovers(): Leftovers | null {
    return this.wanted.leftovers ?? null;
  }

  /** The cgroup into which its first process is to be born. */
  get cgroup(): string | null {
    if (this.#seat === null && this.#leader === null && this.isWanted) {
      const { memoryBytes, pids } = this.wanted.limits ?? {};
      this.#seat = this.support().home?.take({
        ...(memoryBytes === undefined ? {} : { memoryBytes }),
        ...(pids === undefined ? {} : { pids }),
      }) ?? null;
    }
    return this.#seat?.directory ?? null;
  }

  /** Runs the spawn of its first process. When that throws, the tree is over. */
  bear<Born extends { readonly pid: number }>(spawn: () => Born): Born {
    try {
      const born = this.#mark === null ? spawn() : marked(this.#mark, spawn);
      this.#leader = { pid: born.pid, state: "alive" };
      if (this.#mark !== null) orphans.started(born.pid);
      return born;
    } catch (error) {
      this.#release();
      throw error;
    }
  }

  /** The first process has ended, and the runtime has reaped it. */
  leaderReaped(): void {
    if (this.#leader === null) return;
    this.#leader.state = "reaped";
    orphans.ended(this.#leader.pid);
    if (this.#seat?.isEmpty ?? !this.isWanted) this.#release();
  }

  /** Everybody alive, the first process included. */
  members(): Kin[] {
    if (!this.isWanted || this.#over !== null) return [];
    return this.#pids().map(kinOf).filter((kin) => kin !== null).filter(({ isDead }) => !isDead);
  }

  /** The living whom nothing has killed yet. */
  living(): Kin[] {
    return this.members().filter(({ pid }) => !this.#killed.has(pid));
  }

  /** The living beside the first process, and how many there are. */
  left(): { readonly count: number; readonly first: readonly Leftover[] } {
    const left = this.members().filter(({ pid }) => pid !== this.#leader?.pid);
    return { count: left.length, first: left.slice(0, MOST_TOLD).map(({ pid, name }) => ({ pid, name })) };
  }

  /** Sends a signal to those who are not in the group of the first process, which gets it as a whole. */
  signalOthers(signal: Signal): void {
    for (const { pid, group } of this.members()) {
      if (group !== this.#leader?.pid) send(pid, `SIG${signal}`);
    }
  }

  /** Kills everybody, and looks until nobody is left whom we may kill. */
  kill(): void {
    if (!this.isWanted || this.#dying || this.#over !== null) return;
    this.#dying = true;
    this.#seat?.kill();
    let found = true;
    for (let look = 0; look < LOOKS_AT_ONCE && found; look++) found = this.#killFound();
    this.#lookAgain(0);
  }

  /** All that it used; null where only its first process is known. */
  cpuMs(): number | null {
    if (this.#seat !== null) return this.#seat.cpuMs();
    return this.#mark === null ? null : this.members().reduce((sum, { cpuMs }) => sum + cpuMs, 0);
  }

  /** What its whole life used, where the system counts that. */
  totalCpuMs(): number | null {
    return this.#over === null ? this.#seat?.cpuMs() ?? null : this.#over.cpuMs;
  }

  /** The limit that the kernel had to enforce. */
  breach(): "memoryBytes" | "pids" | null {
    return this.#over === null ? this.#seat?.breach() ?? null : this.#over.breach;
  }

  /** True if somebody was found who could be killed. */
  #killFound(): boolean {
    let killed = false;
    for (const { pid } of this.members()) {
      if (!send(pid, "SIGKILL")) continue;
      this.#killed.add(pid);
      killed = true;
    }
    return killed;
  }

  #lookAgain(time: number): void {
    const ms = LOOK_AGAIN_MS[time];
    setTimeout(() => {
      const found = this.#killFound();
      orphans.sweep();
      if (found && time + 1 < LOOK_AGAIN_MS.length) return this.#lookAgain(time + 1);
      this.#dying = false;
      if (this.#leader?.state === "reaped") this.#release();
    }, ms).unref();
  }

  #pids(): number[] {
    if (this.#seat !== null) return this.#seat.members();
    if (this.#mark === null) return [];
    const found = new Set<number>();
    const add = (pid: number) => {
      if (found.has(pid)) return;
      found.add(pid);
      for (const child of childrenOf(pid)) add(child);
    };
    if (this.#leader?.state === "alive") add(this.#leader.pid);
    for (const { pid, mark } of orphans.adopted()) if (mark === this.#mark) add(pid);
    return [...found];
  }

  #release(): void {
    if (this.#over !== null) return;
    this.#over = { cpuMs: this.totalCpuMs(), breach: this.breach() };
    if (this.#seat !== null) this.support().home?.giveBack(this.#seat);
  }
}

/** False where there is nobody, or somebody whom we may not signal. */
function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    const code = osErrorCode(error);
    if (code === "ESRCH" || code === "EPERM") return false;
    throw error;
  }
}

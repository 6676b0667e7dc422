import { reap } from "../libc.ts";
import { childrenOfThread, kinOf } from "./kin.ts";
import { type Mark, markOf } from "./marks.ts";

/** How long somebody dead may wait: nothing hangs on it but his place in the table of processes. */
const SWEEP_MS = 1_000;
/** The same while nothing runs that we started: there may be orphans of what the program itself has started. */
const QUIET_SWEEP_MS = 5_000;

/**
 * Those below us who lost their parents. They became our children, which the runtime does not know of, so we reap them.
 * Who carries no mark may be a child of the program that uses us as a library: whoever waits for one does so at once, so
 * the dead of two sweeps in a row are waited for by nobody.
 */
class Orphans {
  /** Started by us: the runtime waits for them. */
  readonly #waitedFor = new Set<number>();
  readonly #marks = new Map<number, Mark | null>();
  #foundDead = new Set<number>();
  #sweeping: { readonly timer: ReturnType<typeof setInterval>; readonly everyMs: number } | null = null;

  started(pid: number): void {
    this.#waitedFor.add(pid);
    this.#marks.delete(pid); // the number may have been somebody else's
    this.#sweepEvery(SWEEP_MS);
  }

  #sweepEvery(everyMs: number): void {
    if (this.#sweeping?.everyMs === everyMs) return;
    if (this.#sweeping !== null) clearInterval(this.#sweeping.timer);
    const timer = setInterval(() => this.sweep(), everyMs);
    timer.unref();
    this.#sweeping = { timer, everyMs };
  }

  ended(pid: number): void {
    this.#waitedFor.delete(pid);
  }

  /** Everybody adopted, dead or alive, with what he carries. */
  adopted(): { readonly pid: number; readonly mark: Mark }[] {
    const found: { pid: number; mark: Mark }[] = [];
    for (const pid of childrenOfThread(process.pid, process.pid)) {
      if (this.#waitedFor.has(pid)) continue;
      let mark = this.#marks.get(pid);
      if (mark === undefined) this.#marks.set(pid, mark = markOf(pid));
      if (mark !== null) found.push({ pid, mark });
    }
    return found;
  }

  /** Reaps the dead, and looks less often once none is left of what we started. */
  sweep(): void {
    const marked = new Set(this.adopted().map(({ pid }) => pid));
    const there = new Set(childrenOfThread(process.pid, process.pid));
    for (const pid of this.#marks.keys()) if (!there.has(pid)) this.#marks.delete(pid);
    const foundDead = new Set<number>();
    let alive = 0;
    for (const pid of there) {
      if (this.#waitedFor.has(pid)) continue;
      if (!(kinOf(pid)?.isDead ?? true)) {
        if (marked.has(pid)) alive += 1;
      } else if (marked.has(pid) || this.#foundDead.has(pid)) {
        reap(pid);
        this.#marks.delete(pid);
      } else foundDead.add(pid);
    }
    this.#foundDead = foundDead;
    this.#sweepEvery(alive > 0 || foundDead.size > 0 || this.#waitedFor.size > 0 ? SWEEP_MS : QUIET_SWEEP_MS);
  }
}

/** One for this program, as there is one table of its children. */
export const orphans = new Orphans();

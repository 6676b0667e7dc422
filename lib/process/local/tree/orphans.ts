import { reap } from "../libc.ts";
import { childrenOfThread, kinOf } from "./kin.ts";
import { type Mark, markOf } from "./marks.ts";

/** How long somebody dead may wait: nothing hangs on it but his place in the table of processes. */
const SWEEP_MS = 1_000;

/**
 * Those below us who lost their parents. They became our children, which the runtime does not know of, so we reap them:
 * only the marked, for a program that uses us as a library may have children of its own.
 */
class Orphans {
  /** Started by us: the runtime waits for them. */
  readonly #waitedFor = new Set<number>();
  readonly #marks = new Map<number, Mark | null>();
  #sweeping: ReturnType<typeof setInterval> | null = null;

  started(pid: number): void {
    this.#waitedFor.add(pid);
    this.#marks.delete(pid); // the number may have been somebody else's
    if (this.#sweeping !== null) return;
    this.#sweeping = setInterval(() => this.sweep(), SWEEP_MS);
    this.#sweeping.unref();
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

  /** Reaps the dead, and rests once there is nobody who could still die. */
  sweep(): void {
    const adopted = this.adopted();
    const there = new Set(childrenOfThread(process.pid, process.pid));
    for (const pid of this.#marks.keys()) if (!there.has(pid)) this.#marks.delete(pid);
    let alive = 0;
    for (const { pid } of adopted) {
      if (kinOf(pid)?.isDead ?? true) {
        reap(pid);
        this.#marks.delete(pid);
      } else alive += 1;
    }
    if (alive > 0 || this.#waitedFor.size > 0) return;
    this.#marks.clear();
    if (this.#sweeping !== null) clearInterval(this.#sweeping);
    this.#sweeping = null;
  }
}

/** One for this program, as there is one table of its children. */
export const orphans = new Orphans();

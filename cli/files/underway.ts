import type { Arrival, Kept } from "./arrival.ts";

/** How long a server may take to clean up after us before we go without it. */
const LEAVE_MS = 2_000;

/** As an arrival is left. */
type Leavable = Pick<Arrival, "abandon">;

/** Copies that are not whole yet, and what becomes of them when a signal ends us. */
export class Underway {
  readonly #arrivals = new Set<Leavable>();
  #isLeaving = false;

  /** Never resolves once we are leaving: nothing new is begun then. */
  enter(arrival: Leavable): Promise<void> {
    if (this.#isLeaving) return new Promise(() => {});
    this.#arrivals.add(arrival);
    return Promise.resolve();
  }

  leave(arrival: Leavable): void {
    this.#arrivals.delete(arrival);
  }

  /** Never resolves once we are leaving: how we end is the signal's to say. */
  unlessLeaving(): Promise<void> {
    return this.#isLeaving ? new Promise(() => {}) : Promise.resolve();
  }

  /** Half of something stays only for a later run to go on with. Resolves when all is left, or when that takes too long. */
  async leaveAll(onKept: (kept: Kept) => void): Promise<void> {
    this.#isLeaving = true;
    const left = [...this.#arrivals].map(async (arrival) => {
      const kept = await arrival.abandon(true);
      if (kept !== null) onKept(kept);
    });
    await Promise.race([Promise.allSettled(left), Bun.sleep(LEAVE_MS)]);
  }
}

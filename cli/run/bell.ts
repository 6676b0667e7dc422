import type { Clock } from "../../lib/base/clock.ts";

/** Wakes one waiter. A ring that comes before the wait is not lost. */
export class Bell {
  #rung = false;
  #waiter: ((rang: boolean) => void) | null = null;

  ring(): void {
    const waiter = this.#waiter;
    this.#waiter = null;
    if (waiter === null) this.#rung = true;
    else waiter(true);
  }

  /** Resolves at the next ring, or with false after so much silence; null is no limit. */
  async rung(clock: Clock, withinMs: number | null): Promise<boolean> {
    if (this.#rung) {
      this.#rung = false;
      return true;
    }
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#waiter = resolve;
    const timer = withinMs === null ? null : clock.after(withinMs, () => {
      this.#waiter = null;
      resolve(false);
    });
    const rang = await promise;
    timer?.cancel();
    return rang;
  }
}

import type { Clock, Timer } from "../../lib/base/clock.ts";

type Due = { at: number; action: () => void };

/** Turns of the event loop after each timer, enough for a message to cross a local socket and be answered. */
const TURNS_TO_SETTLE = 5;

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  #now = 1_000;
  readonly #due = new Set<Due>();

  now(): number {
    return this.#now;
  }

  after(ms: number, action: () => void): Timer {
    const due = { at: this.#now + Math.max(ms, 0), action };
    this.#due.add(due);
    return { cancel: () => void this.#due.delete(due) };
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#due.size;
  }

  /**
   * Moves time on and runs what falls due, in order of time and, for equal times, of setting. After each timer, promises and
   * input settle before the next one, so a timer that is set or cancelled by what follows from another counts.
   */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await settle();
    for (let next = this.#nextBy(until); next !== undefined; next = this.#nextBy(until)) {
      this.#due.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.action();
      await settle();
    }
    this.#now = until;
    await settle();
  }

  #nextBy(until: number): Due | undefined {
    let next: Due | undefined;
    for (const due of this.#due) {
      if (due.at <= until && (next === undefined || due.at < next.at)) next = due;
    }
    return next;
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS_TO_SETTLE; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

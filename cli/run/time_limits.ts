import type { Clock, Timer } from "../../lib/base/clock.ts";

/** By the name of its flag, and as long as was asked. */
export type Limit = { readonly kind: "timeout" | "idle-timeout"; readonly ms: number };

/** Tells once when a command has run too long, or printed nothing for too long. */
export class TimeLimits implements Disposable {
  #wall: Timer | null = null;
  #idle: Timer | null = null;
  #over = false;

  constructor(
    private readonly clock: Clock,
    private readonly limits: { readonly wallMs: number | null; readonly idleMs: number | null },
    private readonly reached: (limit: Limit) => void,
  ) {
    if (limits.wallMs !== null) {
      const ms = limits.wallMs;
      this.#wall = clock.after(ms, () => this.#reach({ kind: "timeout", ms }));
    }
    this.printed();
  }

  /** It is not idle: the idle time begins anew. Also when it could not be heard, for the silence was not its own. */
  printed(): void {
    const ms = this.limits.idleMs;
    if (ms === null || this.#over) return;
    this.#idle?.cancel();
    this.#idle = this.clock.after(ms, () => this.#reach({ kind: "idle-timeout", ms }));
  }

  /** Nothing can be heard from it until it has `printed` again. */
  holdIdle(): void {
    this.#idle?.cancel();
  }

  #reach(limit: Limit): void {
    if (this.#over) return;
    this[Symbol.dispose]();
    this.reached(limit);
  }

  [Symbol.dispose](): void {
    this.#over = true;
    this.#wall?.cancel();
    this.#idle?.cancel();
  }
}

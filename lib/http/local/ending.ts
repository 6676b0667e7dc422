import type { Clock, Timer } from "../../base/clock.ts";
import type { Upstream } from "./upstream.ts";

/** What may end a request before its time: its caller, or its deadline. One for all its redirects and its body. */
export class Ending {
  readonly #controller = new AbortController();
  readonly #timer: Timer | null;
  #upstream: Upstream | null = null;

  constructor(clock: Clock, timeoutMs: number | null, private readonly givenUp: AbortSignal) {
    givenUp.addEventListener("abort", this.#giveUp);
    if (givenUp.aborted) this.#giveUp();
    const timeUp = () => this.#end(new Error(`timed out after ${timeoutMs} ms`));
    if (timeoutMs === 0) timeUp();
    this.#timer = timeoutMs === null ? null : clock.after(timeoutMs, timeUp);
  }

  /** Aborted with the reason. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** From now on, what it ends is this connection; the one before is over. */
  ends(upstream: Upstream): void {
    this.#upstream?.end(new Error("replaced"));
    this.#upstream = upstream;
    if (this.signal.aborted) upstream.end(this.signal.reason);
  }

  /** The connection served, and is somebody else's from now on. */
  release(): void {
    this.#upstream = null;
  }

  /** The request is over: nothing is left to end. */
  settle(): void {
    this.#timer?.cancel();
    this.givenUp.removeEventListener("abort", this.#giveUp);
    this.#upstream?.end(new Error("the request is over"));
  }

  readonly #giveUp = () => this.#end(new Error("given up"));

  #end(reason: Error): void {
    if (this.signal.aborted) return;
    this.#controller.abort(reason);
    this.#upstream?.end(reason);
  }
}

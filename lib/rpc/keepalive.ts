import type { Clock, Timer } from "../base/clock.ts";
import type { Transport } from "./transport.ts";

/** Shorter than the idle cut of any proxy in the way; those begin at 60 s, cautious ones at 20. */
const PING_EVERY_MS = 15_000;
/** Silent for this long, with nothing taken off our hands either: it is gone. */
const SILENCE_MS = 60_000;
/** How long a peer has for an answer when somebody else is waiting for its place. */
const CHALLENGE_MS = 5_000;

/** Notices a peer that is gone without saying so. An idle peer that still answers pings is left in peace. */
export class Keepalive {
  #heardAt: number;
  #unsent = 0;
  #tickedAt: number;
  #timer: Timer;
  #challenge: Timer | null = null;

  constructor(
    private readonly transport: Transport,
    private readonly clock: Clock,
    private readonly isPaused: () => boolean,
  ) {
    this.#heardAt = this.#tickedAt = clock.now();
    this.#timer = clock.after(PING_EVERY_MS, () => this.#tick());
  }

  heard(): void {
    this.#heardAt = this.clock.now();
    this.#challenge?.cancel();
    this.#challenge = null;
  }

  /** Somebody claims this peer's place: it answers soon, or is gone. */
  challenge(): void {
    if (this.#challenge !== null) return;
    // While we do not read, its answer cannot reach us; but whoever lives takes what waits for it.
    if (this.isPaused() && this.transport.unsentBytes === 0) return;
    this.transport.ping();
    this.#challenge = this.clock.after(CHALLENGE_MS, () => this.transport.end());
  }

  stop(): void {
    this.#timer.cancel();
    this.#challenge?.cancel();
  }

  #tick(): void {
    const now = this.clock.now();
    const unsent = this.transport.unsentBytes;
    // Late by a whole period: it was we who slept, and what the peer said meanwhile is still to be read.
    if (now - this.#tickedAt > 2 * PING_EVERY_MS) this.#heardAt = now;
    this.#tickedAt = now;
    // Taking what we send is a sign of life too, and while we do not read we cannot hear one.
    if (unsent < this.#unsent || (this.isPaused() && unsent === 0)) this.#heardAt = now;
    this.#unsent = unsent;
    if (now - this.#heardAt >= SILENCE_MS) return this.transport.end();
    this.transport.ping();
    this.#timer = this.clock.after(PING_EVERY_MS, () => this.#tick());
  }
}

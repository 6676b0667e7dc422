import type { Clock, Timer } from "../base/clock.ts";

/** After so long without a word from the server it is asked for a sign of life. */
export const PING_AFTER_MS = 10_000;
/** After so long it is gone: well before a server gives up on its side, so that we are back in time. */
export const SILENCE_MS = 20_000;

/** Notices a server that went without saying so: a cut cable ends no connection by itself. */
export class LinkKeepalive {
  #heardAt: number;
  #unsent = 0;
  #pinged = false;
  #timer: Timer;

  constructor(
    private readonly clock: Clock,
    private readonly peer: { readonly unsentBytes: number; ping(): void },
    private readonly onSilence: () => void,
  ) {
    this.#heardAt = clock.now();
    this.#timer = clock.after(PING_AFTER_MS, () => this.#look());
  }

  heard(): void {
    this.#heardAt = this.clock.now();
    this.#pinged = false;
  }

  stop(): void {
    this.#timer.cancel();
  }

  #look(): void {
    const { unsentBytes } = this.peer;
    // Taking what we send is a sign of life too; an answer may stand behind a long upload.
    if (unsentBytes < this.#unsent) this.heard();
    this.#unsent = unsentBytes;
    const silentMs = this.clock.now() - this.#heardAt;
    if (silentMs >= SILENCE_MS) return this.onSilence();
    if (silentMs >= PING_AFTER_MS && !this.#pinged) {
      this.#pinged = true;
      this.peer.ping();
    }
    const next = (this.#pinged ? SILENCE_MS : PING_AFTER_MS) - silentMs;
    this.#timer = this.clock.after(next, () => this.#look());
  }
}

/** A chunk below this is small. */
const SMALL_BYTES = 4_096;
/** This many small chunks, each within SOON_MS of the one before, make a chatty writer. */
const CHATTY_CHUNKS = 8;
const SOON_MS = 0.5;
/** Long enough for hundreds of lines to gather in the pipe, too short for a person to notice. */
const PAUSE_MS = 2;

/**
 * Notices a child that prints line by line as fast as it can, so that its lines are read together:
 * a hundredth of the messages for the same bytes. Somebody who just wrote to the child is waiting for an
 * answer, so a write starts the count anew.
 */
export class WritePace {
  #small = 0;
  #lastAt = 0;

  /** How long to wait before the next read. */
  pauseAfter(bytes: number): number {
    const now = performance.now();
    const soon = now - this.#lastAt < SOON_MS;
    this.#lastAt = now;
    this.#small = bytes < SMALL_BYTES ? (soon ? this.#small + 1 : 1) : 0;
    if (this.#small < CHATTY_CHUNKS) return 0;
    // Still chatty: the next small chunk pauses as well, without another eight.
    this.#small = CHATTY_CHUNKS - 1;
    this.#lastAt = now + PAUSE_MS;
    return PAUSE_MS;
  }

  written(): void {
    this.#small = 0;
  }
}

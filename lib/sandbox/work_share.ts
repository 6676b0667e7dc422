/** So long nobody else has the server. */
const TURN_MS = 2;

/** The end of the queue for turns: of all that is long, only one has one between two looks at what else there is. */
let queue: Promise<void> = Promise.resolve();

/** Long work of a server that has others to serve: done in short turns, and for no longer than it may take in all. */
export class WorkShare {
  #spentMs = 0;
  #begun: number | null = null;

  constructor(readonly maxMs: number) {}

  /** Waits for a turn; one that goes on is over. */
  async begin(): Promise<void> {
    this.end();
    queue = queue.then(() => new Promise((resolve) => setImmediate(resolve)));
    await queue;
    this.#begun = performance.now();
  }

  end(): void {
    this.#spentMs += this.#inTurnMs();
    this.#begun = null;
  }

  isTurnOver(): boolean {
    return this.#inTurnMs() >= TURN_MS;
  }

  /** The waiting for turns does not count. */
  isSpent(): boolean {
    return this.#spentMs + this.#inTurnMs() > this.maxMs;
  }

  #inTurnMs(): number {
    return this.#begun === null ? 0 : performance.now() - this.#begun;
  }
}

/** How many write ids are remembered: the protocol's number; a client retries only its last few. */
export const REMEMBERED_WRITES = 4_096;

/** Remembers which writes were accepted, so that a repeat after a lost answer is not written twice. */
export class StdinLedger {
  readonly #accepted = new Set<string>();

  has(writeId: string): boolean {
    return this.#accepted.has(writeId);
  }

  /** Notes a write as accepted; the oldest is forgotten once there are too many. */
  accept(writeId: string): void {
    this.#accepted.add(writeId);
    if (this.#accepted.size <= REMEMBERED_WRITES) return;
    for (const oldest of this.#accepted) {
      this.#accepted.delete(oldest);
      return;
    }
  }
}

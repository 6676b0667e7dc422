/** How many write ids are remembered: the protocol's number; a client retries only its last few. */
export const REMEMBERED_WRITES = 4_096;
/** A longer id is remembered by its digest: a peer chooses its length, up to a whole message. */
const LONGEST_KEPT = 64;

/** Remembers which writes were accepted, so that a repeat after a lost answer is not written twice. */
export class StdinLedger {
  readonly #accepted = new Set<string>();

  has(writeId: string): boolean {
    return this.#accepted.has(keyOf(writeId));
  }

  /** Notes a write as accepted; the oldest is forgotten once there are too many. */
  accept(writeId: string): void {
    this.#accepted.add(keyOf(writeId));
    if (this.#accepted.size <= REMEMBERED_WRITES) return;
    for (const oldest of this.#accepted) {
      this.#accepted.delete(oldest);
      return;
    }
  }
}

function keyOf(writeId: string): string {
  if (writeId.length <= LONGEST_KEPT) return writeId;
  // Longer than any id that is kept as it is, so that no id is taken for another's digest.
  return `digest of a long id: ${new Bun.CryptoHasher("sha256").update(writeId).digest("hex")}`;
}

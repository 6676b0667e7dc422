import type { Facts, Side } from "./side.ts";

/** Counts the modes that a server does not get to know: what it makes has the modes that it gives to anything new. */
export class LostModes {
  #opened = 0;
  #noLongerRun = 0;

  /** Something was made there that was not there before. */
  count(to: Side, { kind, mode }: Facts): void {
    if (to.isBeyondCodex || mode === null) return;
    if (kind === "directory") {
      if ((mode & 0o005) === 0) this.#opened++;
    } else if (kind === "file") {
      if ((mode & 0o004) === 0) this.#opened++;
      if ((mode & 0o111) !== 0) this.#noLongerRun++;
    }
  }

  /** null: nothing that matters was lost. */
  words(): string | null {
    const lost: string[] = [];
    if (this.#opened > 0) lost.push(`others may be able to read ${this.#opened} that they cannot read here`);
    if (this.#noLongerRun > 0) lost.push(`${this.#noLongerRun} no longer executable`);
    return lost.length === 0
      ? null
      : `modes stay behind, the server has no word for them: ${lost.join(", ")}`;
  }
}

import type { Facts, Side } from "./side.ts";

/** To run as its owner, or as its group. */
const AS_ANOTHER = 0o6000;

/**
 * Counts the modes that stay behind. A plain Codex server does not get to know any: what it makes has the modes that
 * it gives to anything new. What lets a program run as another user is nothing that a copy should bring anywhere.
 */
export class LostModes {
  #opened = 0;
  #noLongerRun = 0;
  #asAnother = 0;

  /** Something was put there. `isNew`: nothing was there before, whose mode would stay. */
  count(to: Side, { kind, mode }: Facts, isNew: boolean): void {
    if (mode !== null && (mode & AS_ANOTHER) !== 0) this.#asAnother++;
    if (!isNew || to.isBeyondCodex || mode === null) return;
    if (kind === "directory") {
      if ((mode & 0o005) === 0) this.#opened++;
    } else if (kind === "file") {
      if ((mode & 0o004) === 0) this.#opened++;
      if ((mode & 0o111) !== 0) this.#noLongerRun++;
    }
  }

  /** A line each; none where nothing that matters was lost. */
  words(): readonly string[] {
    const lost: string[] = [];
    if (this.#opened > 0) lost.push(`others may be able to read ${this.#opened} that they cannot read here`);
    if (this.#noLongerRun > 0) lost.push(`${this.#noLongerRun} no longer executable`);
    const lines: string[] = [];
    if (lost.length > 0) {
      lines.push(`modes stay behind, the server has no word for them: ${lost.join(", ")}`);
    }
    if (this.#asAnother > 0) {
      lines.push(`setuid and setgid bits stay behind: ${this.#asAnother} had them`);
    }
    return lines;
  }
}

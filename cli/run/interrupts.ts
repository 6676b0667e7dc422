/** How soon a second Ctrl-C must follow to mean more than the first. */
const IN_A_HURRY_MS = 2_000;

export type Interrupt = "forward" | "force" | "leave";

/** What the next Ctrl-C means: first the command is told, then ended by force, then left behind. */
export class Interrupts {
  #last: { readonly at: number; readonly meant: Interrupt } | null = null;

  pressed(now: number): Interrupt {
    const meant = this.#next(now);
    this.#last = { at: now, meant };
    return meant;
  }

  #next(now: number): Interrupt {
    if (this.#last === null) return "forward";
    // Force was asked for and we are still here: there is no way back to asking.
    if (this.#last.meant !== "forward") return "leave";
    return now - this.#last.at <= IN_A_HURRY_MS ? "force" : "forward";
  }
}

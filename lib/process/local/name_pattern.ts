import { ProcessError } from "../process_error.ts";

/**
 * How many characters may be looked at for one start; some 50 ms. Patterns and names both come from
 * a peer, and their product is what matching costs. Honest policies need some thousands.
 */
const MAX_STEPS = 5_000_000;

/** What one start may still spend on matching. */
export class MatchingEffort {
  #left = MAX_STEPS;

  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) {
      throw new ProcessError("invalid", "envPolicy has too many patterns for so many names");
    }
  }
}

/** Characters one by one, in lower case. A string where that is the same, as it nearly always is. */
export type Characters = string | readonly string[];

export function charactersOf(text: string, effort: MatchingEffort): Characters {
  effort.spend(1 + text.length);
  return /^\p{ASCII}*$/u.test(text)
    ? text.toLowerCase()
    : Array.from(text, (character) => character.toLowerCase());
}

/**
 * Whether the whole name is as the pattern says: `*` is any run of characters, also none, `?` is exactly one.
 * A mismatch goes back to the last `*` only, so that many of them do not multiply.
 */
export function matches(pattern: Characters, name: Characters, effort: MatchingEffort): boolean {
  let [p, n] = [0, 0];
  let star: { readonly p: number; n: number } | null = null;
  while (n < name.length) {
    effort.spend(1);
    if (pattern[p] === "*") {
      star = { p: ++p, n };
    } else if (p < pattern.length && (pattern[p] === "?" || pattern[p] === name[n])) {
      p++;
      n++;
    } else if (star !== null) {
      p = star.p;
      n = ++star.n;
    } else return false;
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}

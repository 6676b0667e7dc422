/** What a pattern is made of. Characters are UTF-16 units. */
export type Pattern =
  | { readonly kind: "set"; readonly ranges: readonly Range[] }
  | { readonly kind: "all"; readonly parts: readonly Pattern[] }
  | { readonly kind: "any"; readonly parts: readonly Pattern[] }
  | { readonly kind: "repeat"; readonly part: Pattern; readonly least: number; readonly most: number }
  | { readonly kind: "place"; readonly place: Place };

export type Range = readonly [first: number, last: number];
export type Place = "start" | "end" | "word edge" | "no word edge";

/** What cannot be searched for: it is no pattern, or one that nobody finds in reasonable time. */
export class PatternError extends Error {
  override readonly name = "PatternError";
}

const LAST = 0xffff;
const MOST_REPEATS = 1_000;
const DIGIT: readonly Range[] = [[0x30, 0x39]];
const WORD: readonly Range[] = [[0x30, 0x39], [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]];
const SPACE: readonly Range[] = [[0x09, 0x0d], [0x20, 0x20], [0xa0, 0xa0], [0x2028, 0x2029], [
  0xfeff,
  0xfeff,
]];
const CONTROLS: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, v: 11, "0": 0 };

/** Reads a regular expression as JavaScript writes it, without what needs to go back: see `PatternError`s below. */
export function parsePattern(source: string): Pattern {
  const ignoresCase = source.startsWith("(?i)");
  return new Parser(ignoresCase ? source.slice("(?i)".length) : source, ignoresCase).parse();
}

class Parser {
  #at = 0;
  #depth = 0;

  constructor(private readonly source: string, private readonly ignoresCase: boolean) {}

  parse(): Pattern {
    const whole = this.#alternatives();
    if (this.#at < this.source.length) throw new PatternError("unmatched )");
    return whole;
  }

  #alternatives(): Pattern {
    const parts = [this.#sequence()];
    while (this.#takes("|")) parts.push(this.#sequence());
    return parts.length === 1 ? parts[0]! : { kind: "any", parts };
  }

  #sequence(): Pattern {
    const parts: Pattern[] = [];
    while (this.#at < this.source.length && !this.#sees("|") && !this.#sees(")")) {
      parts.push(this.#repeated(this.#atom()));
    }
    return { kind: "all", parts };
  }

  #repeated(part: Pattern): Pattern {
    const times = this.#times();
    if (times === null) return part;
    if (part.kind === "place") throw new PatternError("nothing to repeat");
    this.#takes("?"); // how much is taken does not matter where only a find counts
    if (this.#times() !== null) throw new PatternError("nothing to repeat");
    return { kind: "repeat", part, ...times };
  }

  #times(): { least: number; most: number } | null {
    if (this.#takes("*")) return { least: 0, most: Infinity };
    if (this.#takes("+")) return { least: 1, most: Infinity };
    if (this.#takes("?")) return { least: 0, most: 1 };
    const counted = /^\{(\d{1,5})(?:(,)(\d{1,5})?)?\}/.exec(this.source.slice(this.#at));
    if (counted === null) return null;
    this.#at += counted[0].length;
    const least = Number(counted[1]);
    const most = counted[2] === undefined ? least : counted[3] === undefined ? Infinity : Number(counted[3]);
    if (most < least) throw new PatternError("numbers out of order in {}");
    if (least > MOST_REPEATS || (most !== Infinity && most > MOST_REPEATS)) {
      throw new PatternError(`more than ${MOST_REPEATS} repeats`);
    }
    return { least, most };
  }

  #atom(): Pattern {
    const character = this.source[this.#at++]!;
    switch (character) {
      case "^":
        return { kind: "place", place: "start" };
      case "$":
        return { kind: "place", place: "end" };
      case ".":
        return { kind: "set", ranges: [[0, LAST]] };
      case "(":
        return this.#group();
      case "[":
        return { kind: "set", ranges: this.#class() };
      case "\\":
        return this.#escape();
      case "*":
      case "+":
      case "?":
        throw new PatternError("nothing to repeat");
      default:
        return this.#character(character.charCodeAt(0));
    }
  }

  #group(): Pattern {
    if (++this.#depth > 100) throw new PatternError("groups too deep");
    if (this.#takes("?")) {
      const named = /^<[A-Za-z_]\w*>/.exec(this.source.slice(this.#at));
      if (named !== null) this.#at += named[0].length;
      else if (!this.#takes(":")) throw new PatternError("no look-around, and (?i) only at the beginning");
    }
    const inside = this.#alternatives();
    if (!this.#takes(")")) throw new PatternError("missing )");
    this.#depth -= 1;
    return inside;
  }

  #escape(): Pattern {
    const next = this.source[this.#at];
    if (next === "b" || next === "B") {
      this.#at += 1;
      return { kind: "place", place: next === "b" ? "word edge" : "no word edge" };
    }
    if (next !== undefined && /[1-9k]/.test(next)) throw new PatternError("no references back");
    const set = this.#escapedSet();
    return typeof set === "number" ? this.#character(set) : { kind: "set", ranges: set };
  }

  /** What follows a backslash, in a class and outside. */
  #escapedSet(): readonly Range[] | number {
    const letter = this.source[this.#at++];
    if (letter === undefined) throw new PatternError("\\ at the end");
    const sets: Readonly<Record<string, readonly Range[]>> = { d: DIGIT, w: WORD, s: SPACE };
    const set = sets[letter.toLowerCase()];
    if (set !== undefined && /[dwsDWS]/.test(letter)) {
      return letter === letter.toLowerCase() ? set : others(set);
    }
    const control = CONTROLS[letter];
    if (control !== undefined) return control;
    const hex = letter === "x" ? /^[0-9a-f]{2}/i : letter === "u" ? /^[0-9a-f]{4}/i : null;
    if (hex !== null) {
      const digits = hex.exec(this.source.slice(this.#at))?.[0];
      if (digits === undefined) throw new PatternError(`\\${letter} without its digits`);
      this.#at += digits.length;
      return Number.parseInt(digits, 16);
    }
    if (/[A-Za-z]/.test(letter)) throw new PatternError(`\\${letter} is not known`);
    return letter.charCodeAt(0);
  }

  #class(): readonly Range[] {
    const isInverted = this.#takes("^");
    const ranges: Range[] = [];
    while (!this.#takes("]")) {
      const first = this.#classMember();
      if (typeof first !== "number") {
        ranges.push(...first);
        continue;
      }
      const next = this.source[this.#at + 1];
      if (!this.#sees("-") || next === "]" || next === undefined) {
        ranges.push(...this.#cases([[first, first]]));
        continue;
      }
      this.#at += 1;
      const last = this.#classMember();
      if (typeof last !== "number" || last < first) throw new PatternError("range out of order in []");
      ranges.push(...this.#cases([[first, last]]));
    }
    return isInverted ? others(ranges) : ranges;
  }

  #classMember(): readonly Range[] | number {
    const character = this.source[this.#at++];
    if (character === undefined) throw new PatternError("missing ]");
    const unit = character.charCodeAt(0);
    if (unit >= 0xd800 && unit <= 0xdfff) throw new PatternError("[] takes no character beyond U+FFFF");
    if (character !== "\\") return unit;
    if (this.#takes("b")) return 8;
    return this.#escapedSet();
  }

  #character(unit: number): Pattern {
    return { kind: "set", ranges: this.#cases([[unit, unit]]) };
  }

  #cases(ranges: readonly Range[]): readonly Range[] {
    if (!this.ignoresCase) return ranges;
    const all: Range[] = [...ranges];
    for (const [first, last] of ranges) {
      // A large range is no word that somebody wrote: its ASCII letters are enough.
      const end = last - first > 256 ? Math.min(last, 0x7f) : last;
      for (let unit = first; unit <= end; unit++) {
        const character = String.fromCharCode(unit);
        for (const other of [character.toLowerCase(), character.toUpperCase()]) {
          if (other.length === 1 && other !== character) all.push([other.charCodeAt(0), other.charCodeAt(0)]);
        }
      }
    }
    return all;
  }

  #sees(character: string): boolean {
    return this.source[this.#at] === character;
  }

  #takes(character: string): boolean {
    if (!this.#sees(character)) return false;
    this.#at += 1;
    return true;
  }
}

function others(ranges: readonly Range[]): Range[] {
  const found: Range[] = [];
  let next = 0;
  for (const [first, last] of [...ranges].sort((a, b) => a[0] - b[0])) {
    if (first > next) found.push([next, first - 1]);
    next = Math.max(next, last + 1);
  }
  if (next <= LAST) found.push([next, LAST]);
  return found;
}

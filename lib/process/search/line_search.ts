import { parsePattern, type Pattern, PatternError, type Place, type Range } from "./pattern_syntax.ts";

/** The most steps of a pattern, with its counted repeats written out: a character costs no more than so many. */
const MOST_STEPS = 1_000;
/** What was worked out is remembered up to here, and then anew: a pattern must not fill the memory. */
const MOST_MOMENTS = 500;

type Step =
  | { readonly kind: "set"; readonly ranges: readonly Range[] }
  | { readonly kind: "fork"; readonly to: readonly number[] }
  | { readonly kind: "place"; readonly place: Place }
  | { readonly kind: "found" };

type Side = "edge" | "word" | "other";

/** Where all ways through a pattern stand between two characters. */
interface Moment {
  readonly steps: readonly number[];
  readonly before: Side;
  readonly after: (Moment | "found" | undefined)[];
}

/**
 * Finds a pattern in lines, in a time that grows with the line and with the pattern, and never with both multiplied over and
 * over: all ways through it are gone at once, none is tried and taken back. Whoever sends a pattern cannot stop us with it.
 */
export class LineSearch {
  readonly #steps: Step[] = [];
  #moments = new Map<string, Moment>();
  #now: Moment | "found";

  /** Throws a PatternError. */
  constructor(source: string) {
    this.#write(parsePattern(source));
    this.#steps.push({ kind: "found" });
    this.#now = this.#moment([0], "edge");
  }

  /** A new line begins. */
  begin(): void {
    this.#now = this.#moment([0], "edge");
  }

  /** More of the line; true once it was found. */
  feed(text: string, start: number, end: number): boolean {
    let now = this.#now;
    for (let at = start; at < end && now !== "found"; at++) {
      const unit = text.charCodeAt(at);
      const known: Moment | "found" | undefined = unit < 128 ? now.after[unit] : undefined;
      if (known !== undefined) {
        now = known;
        continue;
      }
      const next: Moment | "found" = this.#step(now, unit);
      if (unit < 128) now.after[unit] = next;
      now = next;
    }
    this.#now = now;
    return now === "found";
  }

  /** The same of bytes that are ASCII; null at the first that is not, and then the line has to begin anew, as text. */
  feedAscii(bytes: Uint8Array, start: number, end: number): boolean | null {
    let now = this.#now;
    for (let at = start; at < end && now !== "found"; at++) {
      const unit = bytes[at]!;
      if (unit >= 128) return null;
      now = now.after[unit] ??= this.#step(now, unit);
    }
    this.#now = now;
    return now === "found";
  }

  /** The line is over: whether it was found in it. */
  end(): boolean {
    return this.#now === "found" || this.#reached(this.#now, "edge").has(this.#steps.length - 1);
  }

  #step(now: Moment, unit: number): Moment | "found" {
    const side: Side = isWord(unit) ? "word" : "other";
    const reached = this.#reached(now, side);
    if (reached.has(this.#steps.length - 1)) return "found";
    const next: number[] = [0]; // it may begin anywhere
    for (const at of reached) {
      const step = this.#steps[at]!;
      if (step.kind === "set" && step.ranges.some(([first, last]) => first <= unit && unit <= last)) {
        next.push(at + 1);
      }
    }
    return this.#moment(next, side);
  }

  /** Every step that can be stood on without another character, knowing what comes next. */
  #reached({ steps, before }: Moment, next: Side): Set<number> {
    const reached = new Set<number>();
    const open = [...steps];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (reached.has(at)) continue;
      reached.add(at);
      const step = this.#steps[at]!;
      if (step.kind === "fork") open.push(...step.to);
      else if (step.kind === "place" && isAt(step.place, before, next)) open.push(at + 1);
    }
    return reached;
  }

  #moment(steps: readonly number[], before: Side): Moment {
    const sorted = [...new Set(steps)].sort((a, b) => a - b);
    const key = `${before} ${sorted.join()}`;
    const known = this.#moments.get(key);
    if (known !== undefined) return known;
    if (this.#moments.size >= MOST_MOMENTS) this.#moments = new Map();
    const made: Moment = { steps: sorted, before, after: [] };
    this.#moments.set(key, made);
    return made;
  }

  /** Each part begins where the last one ended. */
  #write(pattern: Pattern): void {
    switch (pattern.kind) {
      case "all":
        for (const part of pattern.parts) this.#write(part);
        return;
      case "any":
        return this.#writeAny(pattern.parts);
      case "repeat":
        return this.#writeRepeat(pattern.part, pattern.least, pattern.most);
      default:
        this.#put(pattern);
    }
  }

  #writeAny(parts: readonly Pattern[]): void {
    const fork = this.#put({ kind: "fork", to: [] });
    const begins: number[] = [];
    const ends: number[] = [];
    for (const part of parts) {
      begins.push(this.#steps.length);
      this.#write(part);
      ends.push(this.#put({ kind: "fork", to: [] }));
    }
    this.#steps[fork] = { kind: "fork", to: begins };
    for (const end of ends) this.#steps[end] = { kind: "fork", to: [this.#steps.length] };
  }

  #writeRepeat(part: Pattern, least: number, most: number): void {
    for (let count = 0; count < least; count++) this.#write(part);
    if (most === Infinity) {
      const fork = this.#put({ kind: "fork", to: [] });
      this.#write(part);
      this.#put({ kind: "fork", to: [fork] });
      this.#steps[fork] = { kind: "fork", to: [fork + 1, this.#steps.length] };
      return;
    }
    const forks: number[] = [];
    for (let count = least; count < most; count++) {
      forks.push(this.#put({ kind: "fork", to: [] }));
      this.#write(part);
    }
    for (const fork of forks) this.#steps[fork] = { kind: "fork", to: [fork + 1, this.#steps.length] };
  }

  #put(step: Step): number {
    if (this.#steps.length >= MOST_STEPS) throw new PatternError(`more than ${MOST_STEPS} steps`);
    return this.#steps.push(step) - 1;
  }
}

function isAt(place: Place, before: Side, next: Side): boolean {
  if (place === "start") return before === "edge";
  if (place === "end") return next === "edge";
  return ((before === "word") !== (next === "word")) === (place === "word edge");
}

function isWord(unit: number): boolean {
  return unit >= 0x30 && unit <= 0x39 || unit >= 0x41 && unit <= 0x5a || unit === 0x5f ||
    unit >= 0x61 && unit <= 0x7a;
}

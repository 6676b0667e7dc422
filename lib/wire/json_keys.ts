import { MAX_JSON_DEPTH } from "./json_limits.ts";

/** Up to so many keys are compared in place; most of our objects have fewer, and larger ones get a Set. */
const KEYS_COMPARED_IN_PLACE = 16;

/**
 * Remembers the keys of every object that is open while a text is scanned, one level of nesting each.
 * Small objects cost no allocation: their keys are remembered as ranges of the text.
 */
export class KeyLedger {
  readonly #starts = new Int32Array(MAX_JSON_DEPTH * KEYS_COMPARED_IN_PLACE);
  readonly #ends = new Int32Array(MAX_JSON_DEPTH * KEYS_COMPARED_IN_PLACE);
  readonly #counts = new Int32Array(MAX_JSON_DEPTH);
  readonly #sets: (Set<string> | undefined)[] = Array(MAX_JSON_DEPTH).fill(undefined);

  /** An object begins at this depth. */
  open(depth: number): void {
    this.#counts[depth] = 0;
    this.#sets[depth] = undefined;
  }

  /** Forgets every name, so that a message that was large once is not held for ever. */
  clear(): void {
    this.#sets.fill(undefined);
  }

  /** Adds the key whose source (without quotes) is this range. Says whether the object has it already. */
  isRepeated(text: string, depth: number, start: number, end: number, hasEscapes: boolean): boolean {
    const count = this.#counts[depth];
    if (this.#sets[depth] !== undefined || hasEscapes || count === KEYS_COMPARED_IN_PLACE) {
      return this.#isRepeatedName(text, depth, keyName(text, start, end, hasEscapes));
    }
    const first = depth * KEYS_COMPARED_IN_PLACE;
    for (let i = first; i < first + count; i++) {
      if (isSameRange(text, this.#starts[i], this.#ends[i], start, end)) return true;
    }
    this.#starts[first + count] = start;
    this.#ends[first + count] = end;
    this.#counts[depth] = count + 1;
    return false;
  }

  #isRepeatedName(text: string, depth: number, name: string): boolean {
    const names = this.#sets[depth] ??= this.#namesInPlace(text, depth);
    const before = names.size;
    return names.add(name).size === before;
  }

  #namesInPlace(text: string, depth: number): Set<string> {
    const names = new Set<string>();
    const first = depth * KEYS_COMPARED_IN_PLACE;
    for (let i = first; i < first + this.#counts[depth]; i++) {
      names.add(text.slice(this.#starts[i], this.#ends[i]));
    }
    return names;
  }
}

/** The key as its reader will see it. Throws a SyntaxError when an escape in it is wrong. */
export function keyName(text: string, start: number, end: number, hasEscapes: boolean): string {
  return hasEscapes ? String(JSON.parse(text.slice(start - 1, end + 1))) : text.slice(start, end);
}

/** From the end, because keys of one object differ there more often (`processId`, `process…`). */
function isSameRange(
  text: string,
  start: number,
  end: number,
  otherStart: number,
  otherEnd: number,
): boolean {
  if (end - start !== otherEnd - otherStart) return false;
  for (let i = end - 1, j = otherEnd - 1; i >= start; i--, j--) {
    if (text.charCodeAt(i) !== text.charCodeAt(j)) return false;
  }
  return true;
}

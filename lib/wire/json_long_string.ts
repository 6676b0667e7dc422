import { keyName } from "./json_keys.ts";

/** Below this, it costs nothing to parse a string with the rest. */
const MIN_LENGTH = 64 * 1024;

const QUOTE = 0x22;
// deno-lint-ignore no-control-regex -- control characters are what a string must not hold
const CONTROL = /[\x00-\x1f]/;

/** A string without escapes that is most of the text of a message: a block of a file, in a member of `params`. */
export interface LongString {
  /** The member of the message, and the member of that one. */
  readonly path: readonly [string, string];
  /** Where it begins and ends, without its quotes. */
  readonly start: number;
  readonly end: number;
}

/** A member of an object, as ranges of the text. */
export interface Member {
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly start: number;
  readonly end: number;
}

export function mayHoldLongString(text: string): boolean {
  return text.length > MIN_LENGTH;
}

/** Looks for the long string while a message is scanned. */
export class LongStringFinder {
  found: LongString | undefined = undefined;
  /** A value beyond this is worth telling of. More than half of the text, so there is one. */
  readonly limit: number;
  #inner: { readonly name: string; readonly start: number; readonly end: number } | null = null;

  constructor(private readonly text: string) {
    this.limit = Math.max(MIN_LENGTH, text.length / 2);
  }

  /** The scan has passed a long value. `depth` is that of its object; where it is a string, whether it has escapes. */
  passed(depth: number, { keyStart, keyEnd, start, end }: Member, hasEscapes: boolean): void {
    if (depth > 1) return;
    const name = keyName(this.text, keyStart, keyEnd, true);
    if (depth === 1) {
      const isPlain = this.text.charCodeAt(start) === QUOTE && !hasEscapes;
      if (isPlain) this.#inner = { name, start: start + 1, end: end - 1 };
    } else if (this.#inner !== null) {
      this.found = { path: [name, this.#inner.name], start: this.#inner.start, end: this.#inner.end };
    }
  }
}

/**
 * What `parse` makes of the text, but the long string is a part of the text and no copy of it: megabytes of fresh
 * memory cost more than all else that is done with them. Throws what `parse` does, or a SyntaxError.
 */
export function parseAround(
  { path: [outer, inner], start, end }: LongString,
  text: string,
  parse: Parse,
): unknown {
  const content = text.slice(start, end);
  if (CONTROL.test(content)) throw new SyntaxError("control character in a string");
  const value = parse(text.slice(0, start) + text.slice(end));
  value[outer]![inner] = content; // both are its own by now, whatever they are called
  return value;
}

type Parse = (text: string) => Record<string, Record<string, unknown>>;

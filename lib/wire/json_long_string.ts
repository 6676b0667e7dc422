import { keyName } from "./json_keys.ts";

/** Below this, it costs nothing to parse a string with the rest. */
const MIN_LENGTH = 64 * 1024;

const QUOTE = 0x22;
// deno-lint-ignore no-control-regex -- control characters are what a string must not hold
const CONTROL = /[\x00-\x1f]/;

/** A part of a text. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** A string without escapes that is most of the text of a message: a block of a file, in a member of `params`. */
export interface LongString {
  /** All three without their quotes: the member of the message, the member of that one, and what it holds. */
  readonly outerKey: Range;
  readonly innerKey: Range;
  readonly content: Range;
}

export function mayHoldLongString(text: string): boolean {
  return text.length > MIN_LENGTH;
}

/** Looks for the long string while a message is scanned. */
export class LongStringFinder {
  found: LongString | undefined = undefined;
  /** A value beyond this is worth telling of. More than half of the text, so there is one. */
  readonly limit: number;
  #inner: Omit<LongString, "outerKey"> | null = null;

  constructor(private readonly text: string) {
    this.limit = Math.max(MIN_LENGTH, text.length / 2);
  }

  /** The scan has passed a long value. `depth` is that of its object; where it is a string, whether it has escapes. */
  passed(depth: number, key: Range, { start, end }: Range, hasEscapes: boolean): void {
    const isPlain = this.text.charCodeAt(start) === QUOTE && !hasEscapes;
    if (depth === 1 && isPlain) this.#inner = { innerKey: key, content: { start: start + 1, end: end - 1 } };
    if (depth === 0 && this.#inner !== null) this.found = { outerKey: key, ...this.#inner };
  }
}

/**
 * What `parse` makes of the text, but the long string is a part of the text and no copy of it: megabytes of fresh
 * memory cost more than all else that is done with them. Throws what `parse` does, or a SyntaxError.
 */
export function parseAround(
  { outerKey, innerKey, content }: LongString,
  text: string,
  parse: Parse,
): unknown {
  const string = text.slice(content.start, content.end);
  if (CONTROL.test(string)) throw new SyntaxError("control character in a string");
  const value = parse(text.slice(0, content.start) + text.slice(content.end));
  const nameOf = ({ start, end }: Range) => keyName(text, start, end, true);
  // An own member of that name is there by now, whatever it is called.
  value[nameOf(outerKey)]![nameOf(innerKey)] = string;
  return value;
}

type Parse = (text: string) => Record<string, Record<string, unknown>>;

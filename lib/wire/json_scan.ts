import { isDigit, isLetter, JsonCursor, JsonProblem } from "./json_cursor.ts";
import { KeyLedger, keyName } from "./json_keys.ts";
import { type LongString, LongStringFinder, mayHoldLongString } from "./json_long_string.ts";
import { MAX_JSON_DEPTH, MAX_JSON_VALUES } from "./json_limits.ts";
import { quotePeer } from "./quote_peer.ts";

/** What one look over a JSON text tells before it is parsed. */
export interface ScanResult {
  /** Why the text is refused. The scan stopped there, so the other members are incomplete. */
  problem?: string;
  /** Where in the text (in UTF-16 units) the problem was noticed. */
  problemAt?: number;
  /** The source of the outermost object's `id`, as written. */
  idSource?: string;
  /** Whether some number has a fraction, an exponent or more digits than a double surely holds. */
  unusualNumbers: boolean;
  /** What is better taken out of the text than parsed with the rest. */
  longString?: LongString;
}

const [QUOTE, COMMA, COLON, MINUS] = [0x22, 0x2c, 0x3a, 0x2d];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

// One for all scans: a scan never waits, and making one costs more than a small message.
const keys = new KeyLedger();

/**
 * Checks in one pass what JSON.parse does not: repeated keys, the number of values and their nesting.
 * Judges the structure on the way; what stands inside a string, number or word is left to JSON.parse.
 */
export function scanMessage(text: string): ScanResult {
  const cursor = new JsonCursor(text);
  const scan = new Scan(cursor);
  try {
    scan.document();
    return { idSource: scan.idSource, unusualNumbers: cursor.unusualNumbers, longString: scan.long?.found };
  } catch (problem) {
    return { problem: problemText(problem), problemAt: cursor.at, unusualNumbers: cursor.unusualNumbers };
  } finally {
    keys.clear();
  }
}

function problemText(error: unknown): string {
  if (error instanceof JsonProblem) return error.text;
  if (error instanceof SyntaxError) return "invalid escape"; // of a key, which had to be read to be compared
  throw error;
}

/** Moves over the text from value to value. Throws a JsonProblem, standing where it noticed it. */
class Scan {
  idSource: string | undefined = undefined;
  /** null where no string can be long. */
  readonly long: LongStringFinder | null;
  readonly #text: string;
  readonly #cursor: JsonCursor;
  #values = 0;
  #depth = 0;

  constructor(cursor: JsonCursor) {
    this.#text = cursor.text;
    this.#cursor = cursor;
    this.long = mayHoldLongString(this.#text) ? new LongStringFinder(this.#text) : null;
  }

  document(): void {
    this.#value();
    if (!Number.isNaN(this.#cursor.nextCode())) throw new JsonProblem("trailing characters");
  }

  #value(): void {
    const code = this.#cursor.nextCode();
    if (++this.#values > MAX_JSON_VALUES) {
      throw new JsonProblem(`JSON-RPC message exceeds the limit of ${MAX_JSON_VALUES} JSON values`);
    }
    if (code === QUOTE) this.#cursor.string();
    else if (code === OPEN_OBJECT) this.#object();
    else if (code === OPEN_LIST) this.#list();
    else if (code === MINUS || isDigit(code)) this.#cursor.number();
    else if (isLetter(code)) this.#cursor.word();
    else throw new JsonProblem(Number.isNaN(code) ? "EOF while parsing a value" : "expected value");
  }

  #object(): void {
    const depth = this.#enter();
    keys.open(depth);
    let code = this.#cursor.nextCode();
    while (code !== CLOSE_OBJECT) {
      if (code !== QUOTE) {
        throw new JsonProblem(Number.isNaN(code) ? "EOF while parsing an object" : "key must be a string");
      }
      const keyStart = this.#cursor.at + 1;
      const isId = this.#key(depth);
      const key = { start: keyStart, end: this.#cursor.at - 1 };
      if (this.#cursor.nextCode() !== COLON) throw new JsonProblem("expected `:`");
      this.#cursor.at++;
      this.#cursor.nextCode();
      const start = this.#cursor.at;
      this.#value();
      const end = this.#cursor.at;
      if (isId) this.idSource = this.#text.slice(start, end);
      if (this.long !== null && end - start > this.long.limit) {
        this.long.passed(depth, key, { start, end }, this.#cursor.hasEscapes);
      }
      code = this.#afterMember(CLOSE_OBJECT, "EOF while parsing an object", "expected `,` or `}`");
    }
    this.#leave();
  }

  #list(): void {
    this.#enter();
    let code = this.#cursor.nextCode();
    while (code !== CLOSE_LIST) {
      this.#value();
      code = this.#afterMember(CLOSE_LIST, "EOF while parsing a list", "expected `,` or `]`");
    }
    this.#leave();
  }

  /** Steps over a comma. Returns what follows: the next member's first character, or the end's. */
  #afterMember(close: number, cutShort: string, expected: string): number {
    const code = this.#cursor.nextCode();
    if (code === close) return code;
    if (code !== COMMA) throw new JsonProblem(Number.isNaN(code) ? cutShort : expected);
    this.#cursor.at++;
    const next = this.#cursor.nextCode();
    if (next === close) throw new JsonProblem("trailing comma");
    return next;
  }

  #enter(): number {
    if (this.#depth === MAX_JSON_DEPTH) throw new JsonProblem("recursion limit exceeded");
    this.#cursor.at++;
    return this.#depth++;
  }

  #leave(): void {
    this.#cursor.at++;
    this.#depth--;
  }

  /** Says whether it is the message's `id`. */
  #key(depth: number): boolean {
    const start = this.#cursor.at + 1;
    this.#cursor.string();
    const end = this.#cursor.at - 1;
    const hasEscapes = this.#cursor.hasEscapes;
    if (keys.isRepeated(this.#text, depth, start, end, hasEscapes)) {
      this.#cursor.at = end;
      const name = keyName(this.#text, start, end, hasEscapes);
      throw new JsonProblem(`duplicate JSON object key \`${quotePeer(name)}\``);
    }
    return depth === 0 && (end - start === 2 || hasEscapes) &&
      keyName(this.#text, start, end, hasEscapes) === "id";
  }
}

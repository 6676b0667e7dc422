const [SPACE, TAB, LF, CR] = [0x20, 0x09, 0x0a, 0x0d];
const [BACKSLASH, MINUS, PLUS, DOT] = [0x5c, 0x2d, 0x2b, 0x2e];
const [DIGIT_0, DIGIT_9, LOWER_CASE] = [0x30, 0x39, 0x20];
const [LETTER_A, LOWER_E, LETTER_U, LETTER_Z] = [0x61, 0x65, 0x75, 0x7a];

/** Any integer of so many characters, sign included, is exact in a double. */
const EXACT_CHARACTERS = 15;

/** Why a text is refused. Thrown with the cursor standing where it was noticed. */
export class JsonProblem {
  constructor(readonly text: string) {}
}

/** Stands in a JSON text and steps over one token at a time. Every text takes time in proportion to its length. */
export class JsonCursor {
  at = 0;
  /** Whether some number has a fraction, an exponent or more digits than a double surely holds. */
  unusualNumbers = false;
  /** Whether the string passed last has any. */
  hasEscapes = false;
  // Found once and kept until passed: looking again for each string or escape would be quadratic.
  #nextQuote = -1;
  #nextBackslash = -1;

  constructor(readonly text: string) {}

  /** Steps over white space. NaN at the end of the text. */
  nextCode(): number {
    let code = this.text.charCodeAt(this.at);
    while (code === SPACE || code === LF || code === CR || code === TAB) {
      code = this.text.charCodeAt(++this.at);
    }
    return code;
  }

  string(): void {
    this.at++;
    this.hasEscapes = false;
    while (true) {
      if (this.#nextQuote < this.at) this.#nextQuote = this.text.indexOf('"', this.at);
      if (this.#nextQuote < 0) this.#endInString();
      if (this.#nextBackslash < this.at) this.#nextBackslash = this.#find("\\");
      if (this.#nextBackslash > this.#nextQuote) break;
      this.hasEscapes = true;
      this.#escape(this.#nextBackslash);
    }
    this.at = this.#nextQuote + 1;
  }

  #endInString(): never {
    this.at = this.text.length;
    throw new JsonProblem("EOF while parsing a string");
  }

  /** Where the next one is, or the end of the text. */
  #find(character: string): number {
    const found = this.text.indexOf(character, this.at);
    return found < 0 ? this.text.length : found;
  }

  /** Half a character has no UTF-8, so it could not be sent back. JSON.parse would let it pass. */
  #escape(start: number): void {
    this.at = start + 2;
    const half = this.#surrogateAt(start);
    if (half === "high" && this.#surrogateAt(start + 6) === "low") this.at = start + 12;
    else if (half !== "none") throw new JsonProblem("lone surrogate in hex escape");
  }

  #surrogateAt(start: number): "high" | "low" | "none" {
    const text = this.text;
    if (text.charCodeAt(start) !== BACKSLASH || text.charCodeAt(start + 1) !== LETTER_U) return "none";
    if (text[start + 2] !== "d" && text[start + 2] !== "D") return "none";
    const digit = text[start + 3];
    if (/[89abAB]/.test(digit)) return "high";
    return /[c-fC-F]/.test(digit) ? "low" : "none";
  }

  number(): void {
    const start = this.at;
    let code = this.text.charCodeAt(++this.at);
    while (
      isDigit(code) || code === DOT || code === PLUS || code === MINUS || (code | LOWER_CASE) === LOWER_E
    ) {
      if (!isDigit(code)) this.unusualNumbers = true;
      code = this.text.charCodeAt(++this.at);
    }
    if (this.at - start > EXACT_CHARACTERS) this.unusualNumbers = true;
  }

  word(): void {
    while (isLetter(this.text.charCodeAt(this.at))) this.at++;
  }
}

export function isDigit(code: number): boolean {
  return code >= DIGIT_0 && code <= DIGIT_9;
}

export function isLetter(code: number): boolean {
  const lower = code | LOWER_CASE;
  return lower >= LETTER_A && lower <= LETTER_Z;
}

/** `inspect.custom` of node:util, which would take a millisecond to load. */
const SHOWN_BY_INSPECT = Symbol.for("nodejs.util.inspect.custom");

const REDACTED = "<redacted>";

/** Words that must not be shown: not by a log, not by an error, not by a look into the object that holds them. */
export class Secret {
  readonly #words: string;

  constructor(words: string) {
    this.#words = words;
  }

  reveal(): string {
    return this.#words;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [SHOWN_BY_INSPECT](): string {
    return REDACTED;
  }
}

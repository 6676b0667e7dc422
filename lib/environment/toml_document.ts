import {
  parse,
  TomlError,
  type TomlTableWithoutBigInt as TomlTable,
  type TomlValueWithoutBigInt as TomlValue,
} from "smol-toml";

/** Names and places of a value in a document: `["environments", 0, "url"]`. */
export type KeyPath = readonly (string | number)[];

/** A key called `__proto__` is a key like any other. */
const KEEPING = { unsafeKeyBehaviour: "keep" } as const;
/** Beyond so many lines no line is told: finding one reads the text again and again. */
const SEARCHED_LINES = 2_000;

/** What is wrong with a document. The message is one line and shows nothing of the text: it may hold secrets. */
export class TomlProblem extends Error {
  override readonly name = "TomlProblem";
}

/** A document whose every key must be expected, and whose every complaint says where. */
export class TomlDocument {
  readonly root: StrictTable;

  /** Throws a TomlProblem when it is no TOML. */
  constructor(private readonly text: string) {
    this.root = new StrictTable(this, [], parsed(text));
  }

  /** Throws what is wrong at a place. */
  refuse(path: KeyPath, problem: string): never {
    const line = this.#lineOf(path);
    const where = [path.length === 0 ? null : `in \`${named(path)}\``, line === null ? null : `line ${line}`];
    const places = where.filter((place) => place !== null).join(", ");
    throw new TomlProblem(places === "" ? problem : `${problem} (${places})`);
  }

  /**
   * The line that first says something about a place: the one after the longest beginning of the text that is a
   * document and does not know it. The parser keeps no positions, and is still the only one that reads TOML.
   */
  #lineOf(path: KeyPath): number | null {
    const lines = this.text.split("\n");
    if (path.length === 0 || lines.length > SEARCHED_LINES) return null;
    let line = 1;
    for (let count = 1; count < lines.length; count++) {
      try {
        if (holds(parse(lines.slice(0, count).join("\n"), KEEPING), path)) break;
        line = count + 1;
      } catch (error) {
        if (!(error instanceof TomlError)) throw error; // the middle of a longer value
      }
    }
    return line;
  }
}

/** One table. Whoever has read all that may be there calls `only` to refuse the rest. */
export class StrictTable {
  constructor(
    private readonly document: TomlDocument,
    readonly path: KeyPath,
    private readonly table: TomlTable,
  ) {}

  /** Throws for the first key that is not among these. */
  only(...known: readonly string[]): void {
    const stranger = this.keys().find((key) => !known.includes(key));
    if (stranger === undefined) return;
    const names = known.map((name) => `\`${name}\``).join(", ");
    const expected = known.length === 1 ? names : `one of ${names}`;
    this.document.refuse([...this.path, stranger], `unknown field \`${stranger}\`, expected ${expected}`);
  }

  keys(): string[] {
    return Object.keys(this.table);
  }

  text(key: string): string | undefined {
    return this.#take(key, "a string", (value) => (typeof value === "string" ? value : undefined));
  }

  flag(key: string): boolean | undefined {
    return this.#take(key, "a boolean", (value) => (typeof value === "boolean" ? value : undefined));
  }

  /** Seconds, fractions allowed, as milliseconds. */
  seconds(key: string): number | undefined {
    const seconds = this.#take(key, "f64", (value) => (typeof value === "number" ? value : undefined));
    if (seconds === undefined) return undefined;
    const problem = seconds < 0 ? "value is negative" : "value is either too big or NaN";
    if (!(seconds >= 0 && seconds < 2 ** 64)) {
      this.refuse(key, `cannot convert float seconds to Duration: ${problem}`);
    }
    return seconds * 1000;
  }

  texts(key: string): readonly string[] | undefined {
    const items = this.#take(key, "a sequence", (value) => (Array.isArray(value) ? value : undefined));
    return items?.map((item, index) => {
      if (typeof item === "string") return item;
      return this.document.refuse([...this.path, key, index], wrongType(item, "a string"));
    });
  }

  textMap(key: string): Readonly<Record<string, string>> | undefined {
    const table = this.within(key, "a map");
    if (table === undefined) return undefined;
    return Object.fromEntries(table.keys().map((name) => [name, table.text(name)!]));
  }

  within(key: string, expected: string): StrictTable | undefined {
    const table = this.#take(key, expected, (value) => (isTable(value) ? value : undefined));
    return table === undefined ? undefined : new StrictTable(this.document, [...this.path, key], table);
  }

  list(key: string, expected: string): readonly StrictTable[] {
    const items = this.#take(key, "a sequence", (value) => (Array.isArray(value) ? value : undefined)) ?? [];
    return items.map((item, index) => {
      const path = [...this.path, key, index];
      if (!isTable(item)) return this.document.refuse(path, wrongType(item, expected));
      return new StrictTable(this.document, path, item);
    });
  }

  /** Throws what is wrong with a key, or with the table itself. */
  refuse(key: string | null, problem: string): never {
    return this.document.refuse(key === null ? this.path : [...this.path, key], problem);
  }

  #take<T>(key: string, expected: string, choose: (value: TomlValue) => T | undefined): T | undefined {
    const value = Object.hasOwn(this.table, key) ? this.table[key] : undefined;
    if (value === undefined) return undefined;
    return choose(value) ?? this.refuse(key, wrongType(value, expected));
  }
}

function parsed(text: string): TomlTable {
  try {
    return parse(text, KEEPING);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const problem = error.message.split("\n")[0]!.replace(/^Invalid TOML document: /, "");
    throw new TomlProblem(`${problem} (line ${error.line}, column ${error.column})`);
  }
}

/** Names the type and never the value, which may be a secret in the wrong place. */
function wrongType(value: TomlValue, expected: string): string {
  return `invalid type: ${typeName(value)}, expected ${expected}`;
}

function typeName(value: TomlValue): string {
  if (typeof value === "string") return "string";
  if (typeof value === "boolean") return "boolean";
  if (Array.isArray(value)) return "sequence";
  if (value instanceof Date) return "datetime";
  if (typeof value === "object") return "map";
  return Number.isInteger(value) ? "integer" : "floating point";
}

function isTable(value: TomlValue): value is TomlTable {
  return typeof value === "object" && !Array.isArray(value) && !(value instanceof Date);
}

function holds(root: TomlTable, path: KeyPath): boolean {
  let value: TomlValue | undefined = root;
  for (const step of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return false;
    value = (value as Record<string | number, TomlValue>)[step];
  }
  return value !== undefined;
}

function named(path: KeyPath): string {
  return path.reduce<string>(
    (text, step) => (typeof step === "number" ? `${text}[${step}]` : text === "" ? step : `${text}.${step}`),
    "",
  );
}

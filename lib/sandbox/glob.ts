import { UnenforceableError } from "./unenforceable.ts";

/** What one character of a name may be, or how many there may be. */
type Token =
  | { readonly kind: "literal"; readonly character: string }
  | { readonly kind: "one" }
  | { readonly kind: "any" }
  | { readonly kind: "class"; readonly negated: boolean; readonly ranges: readonly [string, string][] };

/** What one name must look like, or any number of names. */
export type Segment = readonly Token[] | "**";

/** `{a,b}` may stand for so many patterns at most: what a client writes down doubles with every pair of braces. */
const MAX_ALTERNATIVES = 64;

/** The patterns that a pattern with braces stands for. Braces that are not closed are literal. */
export function withoutBraces(pattern: string): string[] {
  const done: string[] = [];
  const open = [pattern];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const braces = firstBraces(next);
    if (braces === null) done.push(next);
    else {
      const { before, alternatives, after } = braces;
      open.push(...alternatives.map((alternative) => before + alternative + after));
    }
    if (done.length + open.length > MAX_ALTERNATIVES) {
      throw new UnenforceableError(`glob stands for more than ${MAX_ALTERNATIVES} patterns`);
    }
  }
  return done;
}

/** The parts of a pattern that has no braces, and no slash at its beginning. */
export function segmentsOf(pattern: string): Segment[] {
  const names = pattern.split("/").filter((name) => name !== "" && name !== ".");
  if (names.includes("..")) throw new UnenforceableError("glob with `..`");
  return names.map((name) => name === "**" ? "**" : tokensOf(name));
}

/** The only name that fits, or null when there may be several. */
export function literalOf(segment: Segment): string | null {
  if (segment === "**" || !segment.every((token) => token.kind === "literal")) return null;
  return segment.map((token) => token.kind === "literal" ? token.character : "").join("");
}

/** Where in a pattern a path may be: before which of its segments. */
export type Places = readonly number[];

export function start(segments: readonly Segment[]): Places {
  return reachable(segments, [0]);
}

/** One name further down. No place is left when nothing below can be meant. */
export function below(segments: readonly Segment[], places: Places, name: string): Places {
  const characters = [...name];
  const next: number[] = [];
  for (const place of places) {
    const segment = segments[place];
    if (segment === "**") next.push(place);
    else if (segment !== undefined && fits(segment, characters)) next.push(place + 1);
  }
  return reachable(segments, next);
}

/** Whether what is here is what the pattern says. */
export function isMatch(segments: readonly Segment[], places: Places): boolean {
  return places.includes(segments.length);
}

/** `**` may stand for no name at all. */
function reachable(segments: readonly Segment[], from: readonly number[]): Places {
  const places = new Set(from);
  // Grows while it is walked.
  for (const place of places) if (segments[place] === "**") places.add(place + 1);
  return [...places];
}

/** Tries again from the last `*` only, so that a name takes at most tokens × characters steps. */
function fits(tokens: readonly Token[], characters: readonly string[]): boolean {
  let token = 0;
  let star = -1;
  let resume = 0;
  for (let at = 0; at < characters.length;) {
    const here = tokens[token];
    if (here?.kind === "any") {
      star = token++;
      resume = at;
    } else if (here !== undefined && isOneOf(here, characters[at]!)) {
      token++;
      at++;
    } else if (star >= 0) {
      token = star + 1;
      at = ++resume;
    } else return false;
  }
  return tokens.slice(token).every(({ kind }) => kind === "any");
}

function isOneOf(token: Token, character: string): boolean {
  switch (token.kind) {
    case "literal":
      return token.character === character;
    case "class":
      return token.negated !== token.ranges.some(([low, high]) => low <= character && character <= high);
    default:
      return true;
  }
}

function tokensOf(name: string): Token[] {
  const tokens: Token[] = [];
  const characters = [...name];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at]!;
    if (character === "*") {
      if (tokens.at(-1)?.kind !== "any") tokens.push({ kind: "any" });
    } else if (character === "?") tokens.push({ kind: "one" });
    else if (character === "\\" && at + 1 < characters.length) {
      tokens.push({ kind: "literal", character: characters[++at]! });
    } else if (character === "[") {
      const read = classAt(characters, at);
      if (read === null) tokens.push({ kind: "literal", character });
      else {
        tokens.push(read.token);
        at = read.end;
      }
    } else tokens.push({ kind: "literal", character });
  }
  return tokens;
}

/** `[…]` with its end, or null when it is not closed. A `]` that comes first is a member. */
function classAt(characters: readonly string[], open: number): { token: Token; end: number } | null {
  const negated = characters[open + 1] === "!" || characters[open + 1] === "^";
  const first = open + (negated ? 2 : 1);
  const end = characters.indexOf("]", first + 1);
  if (end < 0) return null;
  const ranges: [string, string][] = [];
  for (let at = first; at < end; at++) {
    const low = characters[at]!;
    const isRange = characters[at + 1] === "-" && at + 2 < end;
    ranges.push([low, isRange ? characters[at + 2]! : low]);
    if (isRange) at += 2;
  }
  return { token: { kind: "class", negated, ranges }, end };
}

/** The first pair of braces that is closed, cut up at the commas of its own level. */
function firstBraces(pattern: string) {
  let depth = 0;
  let open = -1;
  let commas: number[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at];
    if (character === "\\") at++;
    else if (character === "{") {
      if (depth++ === 0) {
        open = at;
        commas = [];
      }
    } else if (character === "," && depth === 1) commas.push(at);
    else if (character === "}" && depth > 0 && --depth === 0) {
      const cuts = [open, ...commas, at];
      const alternatives = cuts.slice(1).map((cut, index) => pattern.slice(cuts[index]! + 1, cut));
      return { before: pattern.slice(0, open), alternatives, after: pattern.slice(at + 1) };
    }
  }
  return null;
}

import { quotePeer } from "./quote_peer.ts";

/** The sentence for a value of the wrong type, as Codex says it. Absent is the same as null. */
export function invalidType(value: unknown, expected: string): string {
  return `invalid type: ${typeOf(value)}, expected ${expected}`;
}

function typeOf(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (typeof value === "boolean") return `boolean \`${value}\``;
  if (typeof value === "string") return `string "${quotable(value)}"`;
  if (Array.isArray(value)) return "sequence";
  return typeof value === "object" ? "map" : "number";
}

const NAMED_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\0": "\\0",
  "\t": "\\t",
  "\n": "\\n",
  "\r": "\\r",
};

/** Shows what would not be seen, in the manner of Rust's debug texts. */
function quotable(text: string): string {
  return quotePeer(text).replace(
    /["\\]|(?! )[\p{C}\p{Z}\p{Grapheme_Extend}]/gu,
    (character) => NAMED_ESCAPES[character] ?? `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}

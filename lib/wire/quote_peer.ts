/** A peer's words are quoted in an answer up to so many characters. */
const MAX_QUOTED = 256;

/** The beginning of a peer's text, with no half character at its end: an answer has to be UTF-8. */
export function quotePeer(text: string): string {
  return text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED).toWellFormed()}…` : text;
}

/** What would move the cursor, end the line, or turn the order of what follows. */
const UNSHOWN = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** A text that others may have chosen, fit for one line of a terminal: what is not to be seen stands as an escape. */
export function shownText(text: string): string {
  return text.replace(UNSHOWN, (character) => {
    if (character === "\n") return "\\n";
    if (character === "\t") return "\\t";
    const number = character.codePointAt(0)!.toString(16);
    return number.length > 2 ? `\\u{${number}}` : `\\x${number.padStart(2, "0")}`;
  });
}

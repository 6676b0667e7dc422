import { describe, expect, test } from "bun:test";
import { shownText } from "../../cli/shown_text.ts";

describe("a text that others chose", () => {
  test.each([
    ["a sequence that clears the screen", "a\x1b[2Jb", "a\\x1b[2Jb"],
    ["its one-byte form", "a\x9b2Jb", "a\\x9b2Jb"],
    ["new lines and tabs", "a\r\nb\tc", "a\\x0d\\nb\\tc"],
    ["NUL and DEL", "\0\x7f", "\\x00\\x7f"],
    ["what turns the order of letters", "a\u202eb\u2028", "a\\u{202e}b\\u{2028}"],
  ])("shows %s as escapes", (_, text, shown) => {
    expect(shownText(text)).toBe(shown);
  });

  test("stays as it is where all of it can be seen", () => {
    const text = 'Grüße, 世界 👩‍🚀: C:\\x1b `it\'s` "so"';
    expect(shownText(text)).toBe(text);
  });
});

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { LineSearch } from "../../lib/process/search/line_search.ts";
import { PatternError } from "../../lib/process/search/pattern_syntax.ts";
import { seedOf } from "../fuzz/seed.ts";

/** In pieces of so many characters, as a search in turns goes. */
function isFound(source: string, line: string, piece = line.length + 1): boolean {
  const search = new LineSearch(source);
  search.begin();
  for (let start = 0; start < line.length; start += piece) {
    if (search.feed(line, start, Math.min(line.length, start + piece))) return true;
  }
  return search.end();
}

/** Of a line that is ASCII, and null of one that is not. */
function isFoundInBytes(source: string, line: string): boolean | null {
  const search = new LineSearch(source);
  search.begin();
  const found = search.feedAscii(Buffer.from(line), 0, Buffer.byteLength(line));
  return found === false ? search.end() : found;
}

describe("a pattern", () => {
  test.each([
    ["^\\d{4}-\\d\\d", "2026-11-21 up", true],
    ["\\berr\\b", "an err!", true],
    ["\\berr\\b", "error", false],
    ["(?i)WARN|err", "Error", true],
    ["(?i)^ÄPFEL$", "äpfel", true],
    ["a{2,3}$", "baa", true],
    ["^a{2,3}$", "aaaa", false],
    ["[^\\s\\w]", "a b_c", false],
    ["x*?y", "y", true],
    ["(?<year>\\d+)", "in 1999", true],
    ["😀", "a 😀 b", true],
    ["^$", "", true],
    ["\\x41\\u0042", "AB", true],
    ["[\\]a-c-]", "-", true],
  ])("%s is looked for in %s as JavaScript does", (source, line, found) => {
    for (const piece of [1, 2, 100]) expect(isFound(source, line, piece)).toBe(found);
  });

  test.each([
    ...["(", ")", "[a", "a**", "*a", "a{3,2}", "\\", "\\q", "(?=a)", "(?<!a)b", "(a)\\1", "[z-a]", "^*"],
    ...["a{1001}", "(a{100}){100}", "(".repeat(200), "[😀]"],
  ])("%s is refused", (source) => {
    expect(() => new LineSearch(source)).toThrow(PatternError);
  });

  test("says of bytes that are no ASCII that they have to be text", () => {
    expect(isFoundInBytes("x", "äx")).toBeNull();
  });

  test("finds what JavaScript finds", () => {
    const atom = fc.constantFrom("a", "b", ".", "[ab]", "[^a]", "\\w", "\\s", "\\b", "^", "$");
    const { pattern } = fc.letrec<{ pattern: string; part: string }>((tie) => ({
      pattern: fc.oneof(
        { maxDepth: 4 },
        tie("part"),
        fc.tuple(tie("pattern"), tie("pattern")).map(([one, two]) => one + two),
        fc.tuple(tie("pattern"), tie("pattern")).map(([one, two]) => `(?:${one}|${two})`),
      ),
      part: fc.oneof(
        { maxDepth: 3 },
        atom,
        fc.tuple(tie("pattern"), fc.constantFrom("*", "+", "?", "{2}", "{1,3}", "{0,}")).map((
          [inside, times],
        ) => `(?:${inside})${times}`),
      ),
    }));
    const line = fc.string({ unit: fc.constantFrom("a", "b", " ", "c", "\t"), maxLength: 12 });
    fc.assert(
      fc.property(pattern, line, fc.integer({ min: 1, max: 4 }), (source, text, piece) => {
        const found = new RegExp(source).test(text);
        expect([isFound(source, text, piece), isFoundInBytes(source, text)]).toEqual([found, found]);
      }),
      { seed: seedOf("a pattern"), numRuns: 3_000 },
    );
  });

  test.each(["(a+)+b", "(a|a)*b", "(a*)*b", "a*a*a*a*a*a*a*a*b", "(.*)*.*=.*"])(
    "%s costs no more than its line is long",
    (source) => {
      const steps = (length: number) => {
        const before = performance.now();
        isFound(source, "a".repeat(length));
        return performance.now() - before;
      };
      steps(1_000);
      // JavaScript's own would take longer than anybody lives.
      expect(steps(1_000_000)).toBeLessThan(5_000);
    },
  );
});

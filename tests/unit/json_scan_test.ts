import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { MAX_JSON_DEPTH, MAX_JSON_VALUES } from "../../lib/wire/json_limits.ts";
import { scanMessage } from "../../lib/wire/json_scan.ts";

/** JSON text of the value, with white space where JSON allows it. */
function spaced(value: unknown, space: string): string {
  if (Array.isArray(value)) {
    return `[${space}${value.map((item) => spaced(item, space)).join(`${space},${space}`)}${space}]`;
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, item]) =>
    `${JSON.stringify(key)}${space}:${space}${spaced(item, space)}`
  );
  return `{${space}${members.join(`${space},${space}`)}${space}}`;
}

function countValues(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  return Object.values(value).reduce((sum: number, item) => sum + countValues(item), 1);
}

function problemOf(text: string): string | undefined {
  return scanMessage(text).problem;
}

const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
const listOf = (count: number) => `[${Array(count).fill("1").join(",")}]`;
// Some values that are written with escapes and beyond ASCII, but never half a character.
const json = fc.jsonValue({ stringUnit: "binary", maxDepth: 5 });
const space = fc.stringMatching(/^[ \t\r\n]{0,3}$/);

describe("scanMessage()", () => {
  test("finds nothing wrong with any JSON value, however it is spaced", () => {
    fc.assert(fc.property(json, space, space, (value, inside, around) => {
      const text = around + spaced(value, inside) + around;
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(problemOf(text)).toBeUndefined();
    }));
  });

  test("counts every value and no key", () => {
    fc.assert(
      fc.property(json, (value) => {
        const rest = MAX_JSON_VALUES - countValues(value) - 2;
        expect(problemOf(`[${JSON.stringify(value)},${listOf(rest)}]`)).toBeUndefined();
        expect(problemOf(`[${JSON.stringify(value)},${listOf(rest + 1)}]`)).toBe(
          "JSON-RPC message exceeds the limit of 262144 JSON values",
        );
      }),
      { numRuns: 15 },
    );
  });

  test("accepts 127 levels of nesting and refuses the 128th, in lists and objects", () => {
    expect(problemOf(nested(MAX_JSON_DEPTH))).toBeUndefined();
    expect(problemOf(nested(MAX_JSON_DEPTH + 1))).toBe("recursion limit exceeded");
    expect(problemOf(`${'{"a":'.repeat(127)}1${"}".repeat(127)}`)).toBeUndefined();
    expect(problemOf(`${'{"a":'.repeat(128)}1${"}".repeat(128)}`)).toBe("recursion limit exceeded");
    expect(problemOf(`[${Array(300).fill(nested(100)).join(",")}]`)).toBeUndefined();
  });

  test("finds a repeated key in any object, whatever stands between and however it is escaped", () => {
    const keyed = fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue({ maxDepth: 2 }), {
      minKeys: 1,
      maxKeys: 40,
    });
    fc.assert(
      fc.property(
        keyed,
        fc.nat(),
        fc.nat(),
        fc.boolean(),
        fc.nat(100),
        (object, which, where, escaped, depth) => {
          const names = Object.keys(object);
          const name = names[which % names.length];
          const members = Object.entries(object).map(([key, value]) =>
            `${JSON.stringify(key)}:${JSON.stringify(value)}`
          );
          const written = escaped ? `"${[...name].map(escapeAll).join("")}"` : JSON.stringify(name);
          members.splice(where % (members.length + 1), 0, `${written}:{"nested":[]}`);
          const text = `${"[".repeat(depth)}{${members.join(",")}}${"]".repeat(depth)}`;
          expect(problemOf(text)).toBe(`duplicate JSON object key \`${name}\``);
        },
      ),
    );
  });

  test("lets equal keys of different objects be", () => {
    expect(problemOf('{"a":{"a":[{"a":1},{"a":2,"b":{"a":3}}],"b":1},"b":2}')).toBeUndefined();
  });

  test("quotes a long repeated key only up to a limit", () => {
    const key = "k".repeat(100_000);
    expect(problemOf(`{"${key}":1,"${key}":2}`)?.length).toBeLessThan(400);
  });

  test("gives the id of the outermost object as it was written", () => {
    for (
      const id of ["5", "-9223372036854775808", "1.0", '"a\\u00e9\\"b"', "null", '{"id":4}', '[1, {"id":2}]']
    ) {
      expect(scanMessage(`{"method":"m","params":{"id":7}, "id" : ${id} ,"x":[{"id":8}]}`).idSource).toBe(id);
      expect(scanMessage(`{"\\u0069d":${id}}`).idSource).toBe(id);
    }
    expect(scanMessage('{"ID":1,"params":{"id":7}}').idSource).toBeUndefined();
    expect(scanMessage('[{"id":7}]').idSource).toBeUndefined();
  });

  test("tells of a number with a fraction, an exponent or many digits, and of no other", () => {
    for (const unusual of ["1.0", "1e0", "1E5", "-0.5", "1234567890123456", "-123456789012345"]) {
      expect(scanMessage(`{"x":[0,${unusual}]}`).unusualNumbers).toBe(true);
    }
    for (const usual of ["0", "-1", "123456789012345", '"1.5"', "true", "false", "null"]) {
      expect(scanMessage(`{"x.e":[0,${usual}]}`).unusualNumbers).toBe(false);
    }
  });

  test("refuses half a character in an escape and accepts both halves", () => {
    for (
      const half of [
        "\\ud800",
        "\\udbff x",
        "\\udc00",
        "\\udfff\\ud800",
        "\\ud83d\\ud83d\\ude00",
        "\\ud83d\\n",
      ]
    ) {
      expect(problemOf(`{"x":"${half}"}`)).toBe("lone surrogate in hex escape");
      expect(problemOf(`{"${half}":1}`)).toBe("lone surrogate in hex escape");
    }
    for (const whole of ["\\ud83d\\ude00", "\\uD83D\\uDE00\\\\ud800", "\\ud7ff\\ue000"]) {
      expect(problemOf(`{"x":"${whole}"}`)).toBeUndefined();
    }
  });

  test("says what is wrong with the structure", () => {
    const wrong: [string, string][] = [
      ["", "EOF while parsing a value"],
      [" \n", "EOF while parsing a value"],
      ["{", "EOF while parsing an object"],
      ['{"a":1', "EOF while parsing an object"],
      ['{"a":', "EOF while parsing a value"],
      ["[1", "EOF while parsing a list"],
      ['["a', "EOF while parsing a string"],
      ['["a\\"]', "EOF while parsing a string"],
      ['["a\\', "EOF while parsing a string"],
      ["[1,]", "trailing comma"],
      ['{"a":1,}', "trailing comma"],
      ["[1 2]", "expected `,` or `]`"],
      ['{"a":1 "b":2}', "expected `,` or `}`"],
      ['{"a" 1}', "expected `:`"],
      ["{a:1}", "key must be a string"],
      ["[,1]", "expected value"],
      ["[+1]", "expected value"],
      ["\ufeff{}", "expected value"],
      ["{} x", "trailing characters"],
      ["{}{}", "trailing characters"],
      ['{"\\q":1}', "invalid escape"],
    ];
    for (const [text, problem] of wrong) expect([text, problemOf(text)]).toEqual([text, problem]);
  });

  test("ends on any text, and never with a problem where JSON.parse has none", () => {
    const piece = fc.constantFrom(...'{}[]:,"\\ \n1-.eud8cantrueflsé\u0000');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const text = pieces.join("");
        const { problem, problemAt } = scanMessage(text);
        if (problem === undefined) return;
        expect(problemAt).toBeLessThanOrEqual(text.length + 1);
        if (!/duplicate|surrogate/.test(problem)) expect(() => JSON.parse(text)).toThrow();
      }),
      { numRuns: 3000 },
    );
  });

  test("takes time in proportion to the text, for the texts that would tempt it to look twice", () => {
    const tempting = [
      (size: number) => `["${"\\n".repeat(size / 2)}"]`,
      (size: number) => `["${"\\\\".repeat(size / 2)}`,
      (size: number) => `[${`"${"a".repeat(size / 200_000)}",`.repeat(200_000)}"\\n"]`,
      (size: number) => `[${" ".repeat(size)}1]`,
      (size: number) => `[${"1".repeat(size)}]`,
    ];
    for (const make of tempting) {
      const text = make(4_000_000);
      const before = performance.now();
      scanMessage(text);
      // Linear takes some 50 ms here; quadratic would take minutes.
      expect(performance.now() - before).toBeLessThan(3000);
    }
  });
});

function escapeAll(character: string): string {
  return Array.from(
    { length: character.length },
    (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`,
  ).join("");
}

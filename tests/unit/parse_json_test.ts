import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { MalformedMessage, parseMessage } from "../../lib/wire/parse_json.ts";

function refusal(text: string): string {
  try {
    parseMessage(text);
  } catch (error) {
    if (error instanceof MalformedMessage) return error.message;
    throw error;
  }
  throw new Error(`Accepted ${text}`);
}

describe("parseMessage()", () => {
  test("gives what JSON.parse gives, as long as every number is an integer", () => {
    const integers = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.maxSafeInteger(),
        fc.string({ unit: "binary" }),
        fc.boolean(),
        fc.constant(null),
        tie("list"),
        tie("object"),
      ),
      list: fc.array(tie("value")),
      object: fc.dictionary(fc.string({ unit: "binary" }), tie("value")),
    }));
    fc.assert(fc.property(integers.object, (value) => {
      const text = JSON.stringify(value);
      expect(JSON.stringify(parseMessage(text).value)).toBe(text);
    }));
  });

  test("keeps a member called __proto__ a member", () => {
    const { value } = parseMessage('{"__proto__":{"x":1},"n":1.5}');
    expect(Object.keys(value)).toEqual(["__proto__", "n"]);
    expect("x" in value).toBe(false);
  });

  test("makes NaN of a number that is no i64 or u64 as written", () => {
    for (
      const number of [
        "1.0",
        "0.0",
        "1e0",
        "1E2",
        "18446744073709551616",
        "-9223372036854775809",
        "9".repeat(100_000),
      ]
    ) {
      expect(parseMessage(`{"id":1,"x":[${number}]}`).value).toEqual({ id: 1, x: [NaN] });
    }
    for (const number of ["18446744073709551615", "-9223372036854775808", "9007199254740993", "0", "-1"]) {
      expect(parseMessage(`{"id":1,"x":[${number},1.5]}`).value).toEqual({ id: 1, x: [Number(number), NaN] });
    }
  });

  test("gives the id as it was written, with all its digits", () => {
    expect(parseMessage('{"id":9223372036854775807,"method":"m"}').idSource).toBe("9223372036854775807");
    expect(parseMessage('{"method":"m"}').idSource).toBeUndefined();
  });

  test("refuses what is no object", () => {
    for (const text of ["[1]", "5", '"x"', "null", "true", "1.5", '[{"id":5}]']) {
      expect(refusal(text)).toBe("expected a JSON-RPC object");
    }
  });

  test("says where a problem is, in lines and bytes, as Codex does", () => {
    const observed: [string, string][] = [
      ['{"id":5,"method":"environment/status"} x', "trailing characters at line 1 column 40"],
      ['{"id":5,"method":"environment/status"}{}', "trailing characters at line 1 column 39"],
      ['{"id":5,"method":"environment/status",}', "trailing comma at line 1 column 39"],
      ['{"id":5 "method":"environment/status"}', "expected `,` or `}` at line 1 column 9"],
      ["{id:5}", "key must be a string at line 1 column 2"],
      ["   ", "EOF while parsing a value at line 1 column 3"],
      ['{"id":5,"method":"environment/st', "EOF while parsing a string at line 1 column 32"],
      ['{"id":5,"id":6,"method":"environment/status"}', "duplicate JSON object key `id` at line 1 column 12"],
      [`{"x":${"[".repeat(127)}`, "recursion limit exceeded at line 1 column 132"],
    ];
    for (const [text, detail] of observed) expect(refusal(text)).toBe(detail);
    expect(refusal('{\n"é": x y}')).toBe("expected `,` or `}` at line 2 column 9");
  });

  test("refuses what is wrong inside a string, number or literal, without the runtime's own words", () => {
    for (const token of ["01", "-", "1.", "1e", "nul", "NaN", '"\\q"', '"\t"', '"\\u12"']) {
      expect(refusal(`{"id":5,"x":${token}}`)).toBe("invalid string, number or literal");
    }
  });
});

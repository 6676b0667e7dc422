import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { scanMessage } from "../../lib/wire/json_scan.ts";
import { MalformedMessage, parseMessage } from "../../lib/wire/parse_json.ts";

const LONG = "A".repeat(70_000);

/** What parsing gives, or why it was refused. */
function outcome(text: string): unknown {
  try {
    return parseMessage(text);
  } catch (error) {
    if (error instanceof MalformedMessage) return error.message;
    throw error;
  }
}

/** The same message with another text in the place of the long one, which is parsed as a whole. */
const shortened = (text: string) => text.replaceAll(LONG, "short");
const isFound = (text: string) => scanMessage(text).longString !== undefined;

describe("a string that is most of a message", () => {
  test("is found in a member of a member, and is what JSON.parse makes of it, wherever it stands", () => {
    const name = fc.oneof(fc.string({ unit: "binary" }), fc.constant("__proto__"), fc.constant("id"));
    const members = fc.dictionary(name, fc.oneof(fc.integer(), fc.string(), fc.constant([{ x: null }])));
    const escaped = fc.boolean();
    fc.assert(
      fc.property(
        members,
        members,
        name,
        name,
        escaped,
        fc.nat(),
        (outside, inside, outer, inner, escapes, at) => {
          const key = (text: string) => escapes ? escapeAll(text) : JSON.stringify(text);
          const write = (object: Record<string, unknown>, own: string, value: string) => {
            const others = Object.entries(object).filter(([name]) => name !== own);
            const written = others.map(([name, value]) =>
              `${JSON.stringify(name)}: ${JSON.stringify(value)}`
            );
            written.splice(at % (written.length + 1), 0, `${key(own)} : ${value}`);
            return `{${written.join(" , ")}}`;
          };
          const text = write(outside, outer, write(inside, inner, `"${LONG}é"`));
          expect(isFound(text)).toBe(true);
          const { value } = parseMessage(text);
          expect(JSON.stringify(value)).toBe(JSON.stringify(JSON.parse(text)));
          expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
          expect(Object.getPrototypeOf(value[outer])).toBe(Object.prototype);
        },
      ),
      { numRuns: 200 },
    );
  });

  test("is refused for what JSON does not allow in it, in the words that are used for a short one", () => {
    for (let code = 0; code < 0x20; code++) {
      const text = `{"params":{"chunk":"${LONG}${String.fromCharCode(code)}"}}`;
      expect([isFound(text), outcome(text)]).toEqual([true, outcome(shortened(text))]);
      expect(outcome(text)).toBe("invalid string, number or literal");
    }
    for (const character of ["\x7f", "\u2028", "\ud83d\ude00"]) {
      const text = `{"params":{"chunk":"${LONG}${character}"}}`;
      expect(outcome(text)).toEqual({ value: JSON.parse(text), idSource: undefined });
    }
  });

  test("changes nothing of what is wrong elsewhere, nor of numbers and the id", () => {
    const texts = [
      `{"id":1,"params":{"chunk":"${LONG}","chunk":1}}`,
      `{"id":1,"params":{"chunk":"${LONG}"},"params":{}}`,
      `{"id":1,"params":{"chunk":"${LONG}"},}`,
      `{"id":1,"params":{"chunk":"${LONG}"},"x":01}`,
      `{"id":1,"params":{"chunk":"${LONG}"},"x":"\t"}`,
      `{"id":1,"params":{"chunk":"${LONG}","x\t":1}}`,
      `{"id":1,"params":{"ch\tunk":"${LONG}"}}`,
      `{"id":1,"pa\trams":{"chunk":"${LONG}"}}`,
      `{"id":1,"params":{"chunk":"${LONG}"},"x":nul}`,
      `{"id":9223372036854775807,"params":{"offset":1.0,"chunk":"${LONG}"},"x":[5,1e3]}`,
    ];
    const moved = (detail: string) =>
      detail.replace(/\d+$/, (column) => String(Number(column) + LONG.length - "short".length));
    for (const text of texts) {
      const [long, short] = [outcome(text), outcome(shortened(text))];
      if (typeof short === "string") expect(long).toBe(moved(short));
      else expect(JSON.stringify(long).replace(LONG, "short")).toBe(JSON.stringify(short));
    }
  });

  test("is left where it is when it has escapes, stands elsewhere, or is not most of the text", () => {
    const elsewhere = [
      `{"params":{"chunk":"${LONG}\\n"}}`,
      `{"params":"${LONG}"}`,
      `{"params":{"x":{"chunk":"${LONG}"}}}`,
      `{"params":[{"chunk":"${LONG}"}]}`,
      `{"params":{"chunk":["${LONG}"]}}`,
      `{"params":{"${LONG}":1}}`,
      `{"params":{"a":"${LONG}","b":"${LONG}"}}`,
      `{"params":{"chunk":"${"A".repeat(60_000)}"}}`,
    ];
    for (const text of elsewhere) {
      expect(isFound(text)).toBe(false);
      expect(outcome(text)).toEqual({ value: JSON.parse(text), idSource: undefined });
    }
    expect(outcome(`[{"chunk":"${LONG}"}]`)).toBe("expected a JSON-RPC object");
  });
});

function escapeAll(text: string): string {
  const units = Array.from(
    { length: text.length },
    (_, at) => text.charCodeAt(at).toString(16).padStart(4, "0"),
  );
  return `"${units.map((unit) => `\\u${unit}`).join("")}"`;
}

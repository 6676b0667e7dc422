import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  NO_REQUEST,
  readEnvelope,
  writeError,
  writeNotification,
  writeRequest,
  writeResult,
} from "../../lib/wire/envelope.ts";
import { WireError } from "../../lib/wire/wire_error.ts";

function problemOf(text: string): string {
  try {
    readEnvelope(text);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error(`It was taken for a message: ${text}`);
}

describe("readEnvelope()", () => {
  test("tells requests, notifications, results and errors by their members, in that order", () => {
    for (
      const [text, kind] of [
        ['{"id":3,"method":"m","result":1,"error":2}', "request"],
        ['{"method":"m","result":1}', "notification"],
        ['{"id":3,"result":null,"error":{}}', "result"],
        ['{"id":3,"error":{}}', "error"],
        ['{"jsonrpc":"1.0","id":"","method":"","extra":[]}', "request"],
      ] as const
    ) expect(readEnvelope(text).kind).toBe(kind);
  });

  test("an id is echoed as it was written, integers of 64 bits and any text", () => {
    const id = fc.oneof(
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
      fc.string({ unit: "grapheme" }).map((text) => JSON.stringify(text)),
      fc.constantFrom(
        "0",
        "9223372036854775807",
        "-9223372036854775808",
        "9007199254740993",
        '""',
        '"\\u0041"',
      ),
    );
    fc.assert(
      fc.property(id, (id) => {
        const inbound = readEnvelope(`{"params":{"id":1},"id": ${id} ,"method":"m"}`);
        if (inbound.kind !== "request") throw new Error(inbound.kind);
        expect(writeResult(inbound.id, {})).toBe(`{"id":${id},"result":{}}`);
      }),
    );
  });

  test("anything else is no id", () => {
    const others =
      "null true 1.0 1e3 0.5 {} [] 9223372036854775808 -9223372036854775809 18446744073709551615";
    for (const id of [...others.split(" "), "9".repeat(400)]) {
      for (const rest of ['"method":"m"', '"result":1', '"error":{}']) {
        expect(problemOf(`{"id":${id},${rest}}`)).toStartWith("data did not match");
      }
    }
  });

  test("names what is missing", () => {
    for (const text of ["{}", '{"id":5}', '{"params":1}']) {
      expect(problemOf(text)).toBe("missing field `error`");
    }
    for (const text of ['{"result":{}}', '{"error":{}}']) expect(problemOf(text)).toBe("missing field `id`");
  });

  test("a method is text", () => {
    for (const [method, type] of [["5", "number"], ["null", "null"], ["[]", "sequence"], ["{}", "map"]]) {
      expect(problemOf(`{"id":1,"method":${method}}`)).toBe(`invalid type: ${type}, expected a string`);
    }
  });

  test("trace context may say anything but something else than text", () => {
    const taken = [
      "null",
      "{}",
      '{"traceparent":"garbage"}',
      '{"traceparent":null,"tracestate":"x","more":5}',
    ];
    for (const trace of taken) {
      expect(readEnvelope(`{"id":1,"method":"m","trace":${trace}}`).kind).toBe("request");
    }
    for (const trace of ["5", "[]", '"x"', "true", '{"traceparent":5}', '{"tracestate":{}}']) {
      expect(problemOf(`{"id":1,"method":"m","trace":${trace}}`)).toStartWith("invalid type: ");
    }
  });

  test("members that every object has are not taken for what was sent", () => {
    for (const name of ["__proto__", "constructor", "hasOwnProperty"]) {
      expect(problemOf(`{"id":1,"${name}":{"method":"m"}}`)).toBe("missing field `error`");
    }
  });
});

describe("what is written", () => {
  test("is one line, and reads as what it was", () => {
    const value = fc.jsonValue({ noUnicodeString: false });
    fc.assert(
      fc.property(fc.nat(), fc.string({ unit: "grapheme" }), value, (id, method, params) => {
        const request = writeRequest(id, method, params);
        expect(request).not.toContain("\n");
        expect(JSON.parse(request)).toEqual(JSON.parse(JSON.stringify({ id, method, params })));
        expect(JSON.parse(writeNotification(method))).toEqual({ method });
      }),
    );
  });

  test("an error names its code and message first, and data only where there is some", () => {
    expect(writeError(NO_REQUEST, new WireError(-32600, 'no "x"'))).toBe(
      '{"error":{"code":-32600,"message":"no \\"x\\""},"id":-1}',
    );
    const data = { phase: "cwd", errno: "ENOENT", path: "/x" } as const;
    expect(JSON.parse(writeError(NO_REQUEST, new WireError(-32603, "m", data))).error.data).toEqual(data);
  });
});

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { decodeBase64, decodeBase64Into, encodeBase64, encodeBase64InPieces } from "../../lib/wire/base64.ts";
import { DecodeError } from "../../lib/wire/decode_error.ts";

/** Why it is refused, which is the same wherever it is decoded into. */
function refusal(text: string): string | null {
  const why = refusalBy(decodeBase64, text);
  expect(refusalBy((given) => decodeBase64Into(given, new Uint8Array(100)), text)).toBe(why);
  return why;
}

function refusalBy(decode: (text: string) => Uint8Array, text: string): string | null {
  try {
    decode(text);
    return null;
  } catch (error) {
    if (error instanceof DecodeError) return error.message;
    throw error;
  }
}

describe("base64", () => {
  test("gives back the bytes that went in, padded as the standard says", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const text = encodeBase64(bytes);
      expect(text).toBe(Buffer.from(bytes).toString("base64"));
      expect(decodeBase64(text)).toEqual(bytes);
      const room = new Uint8Array(text.length / 4 * 3).fill(1);
      expect(decodeBase64Into(text, room)).toEqual(bytes);
    }));
  });

  test("decodes into nothing that may be too small", () => {
    expect(() => decodeBase64Into("QUJD", new Uint8Array(2))).toThrow(RangeError);
  });

  test("in pieces it is the same text", () => {
    for (const length of [0, 1, 768 * 1024, 768 * 1024 + 1, 2_000_000]) {
      const bytes = crypto.getRandomValues(Buffer.alloc(Math.min(length, 65_536)));
      const whole = Buffer.alloc(length, bytes);
      expect([...encodeBase64InPieces(whole)].join("") === encodeBase64(whole)).toBe(true);
    }
  });

  test("encodes the part of a buffer that a view shows", () => {
    expect(encodeBase64(new Uint8Array([1, 65, 2]).subarray(1, 2))).toBe("QQ==");
    expect(encodeBase64(Buffer.from("xAx").subarray(1, 2))).toBe("QQ==");
  });

  test("accepts nothing that it would not write itself", () => {
    const near = fc.array(fc.constantFrom(..."AQR9+/=-_ \n\té"), { maxLength: 9 }).map((symbols) =>
      symbols.join("")
    );
    fc.assert(
      fc.property(near, (text) => {
        if (refusal(text) === null) expect(encodeBase64(decodeBase64(text))).toBe(text);
        else expect(Buffer.from(text, "base64").toString("base64")).not.toBe(text);
      }),
      { numRuns: 5000 },
    );
  });

  test("refuses in the words of Codex", () => {
    // As Codex 0.169.0 answered.
    const observed: [string, string][] = [
      ["Q", "Invalid input length: 1"],
      ["QUJDQ", "Invalid input length: 5"],
      ["QQ", "Invalid padding"],
      ["AB", "Invalid padding"],
      ["QQ=", "Invalid padding"],
      ["QUJDQUJ", "Invalid padding"],
      ["QR==", "Invalid last symbol 82, offset 1."],
      ["QQF=", "Invalid last symbol 70, offset 2."],
      ["AAAAAB==", "Invalid last symbol 66, offset 5."],
      ["Q===", "Invalid symbol 61, offset 1."],
      ["=", "Invalid symbol 61, offset 0."],
      ["QUJD=", "Invalid symbol 61, offset 4."],
      ["QUJD====", "Invalid symbol 61, offset 4."],
      ["QQ==QQ==", "Invalid symbol 61, offset 2."],
      ["QQ= =", "Invalid symbol 61, offset 2."],
      ["QUJDQUI=x", "Invalid symbol 61, offset 7."],
      ["Q Q=", "Invalid symbol 32, offset 1."],
      [" QQ==", "Invalid symbol 32, offset 0."],
      ["QQ== ", "Invalid symbol 32, offset 4."],
      ["QQ==\n", "Invalid symbol 10, offset 4."],
      ["QUJ\n", "Invalid symbol 10, offset 3."],
      ["Q@==", "Invalid symbol 64, offset 1."],
      ["QUJD@", "Invalid symbol 64, offset 4."],
      ["QU JD", "Invalid symbol 32, offset 2."],
      ["QUJ-", "Invalid symbol 45, offset 3."],
      ["A@@", "Invalid symbol 64, offset 1."],
      ["AAA==", "Invalid symbol 61, offset 3."],
      ["AAAAA===", "Invalid symbol 61, offset 5."],
      ["é", "Invalid symbol 195, offset 0."],
      ["QUJDQUJDé", "Invalid symbol 195, offset 8."],
      ["\u0000QQ=", "Invalid symbol 0, offset 0."],
    ];
    for (const [text, detail] of observed) expect([text, refusal(text)]).toEqual([text, detail]);
  });
});

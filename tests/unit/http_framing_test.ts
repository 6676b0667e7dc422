import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { framingOf } from "../../lib/http/local/body_framing.ts";

const CHUNKED = { status: 200, headers: [{ name: "transfer-encoding", value: "Chunked" }] };

/** Cuts a text at these places and feeds the pieces. */
function decode(text: string, cuts: readonly number[]) {
  const framing = framingOf("GET", CHUNKED);
  const bytes = Buffer.from(text, "latin1");
  const places = [...cuts.map((cut) => cut % (bytes.length + 1)), 0, bytes.length].sort((a, b) => a - b);
  let body = "";
  for (const [index, place] of places.entries()) {
    body += Buffer.from(framing.decode(bytes.subarray(places[index - 1] ?? 0, place))).toString("latin1");
  }
  return { body, isDone: framing.isDone, problem: framing.problem?.message ?? null };
}

describe("a chunked body", () => {
  const chunk = fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) =>
    Buffer.from(bytes).toString("latin1")
  );
  const cuts = fc.array(fc.nat(), { maxLength: 20 });

  test("is the same in whatever pieces it comes, and what follows it is not part of it", () => {
    fc.assert(
      fc.property(fc.array(chunk), cuts, fc.boolean(), (chunks, places, upper) => {
        const written = chunks.map((text) => {
          const size = text.length.toString(16);
          return `${upper ? size.toUpperCase() : size} ;a="b"\r\n${text}\r\n`;
        });
        const text = `${written.join("")}0\r\nX: y\r\n\r\nHTTP/1.1 200 OK`;
        expect(decode(text, places)).toEqual({ body: chunks.join(""), isDone: true, problem: null });
      }),
    );
  });

  test.each([
    ["zz\r\n", ""],
    ["-1\r\n", ""],
    ["3\r\nabcd\r\n", "abc"],
    ["1\r\na\r\n\r\n", "a"],
    ["fffffffffffffffff\r\n", ""],
    [`1;${"x".repeat(5_000)}`, ""],
  ])("that is written as %j is malformed after what came before", (text, body) => {
    fc.assert(fc.property(cuts, (places) => {
      expect(decode(text, places)).toEqual({
        body,
        isDone: false,
        problem: "the response has a malformed chunk",
      });
    }));
  });

  test("has no trailers without end", () => {
    const { isDone, problem } = decode(`0\r\n${"x: y\r\n".repeat(30_000)}`, []);
    expect([isDone, problem]).toEqual([false, "the response has too many trailers"]);
  });
});

describe("the framing of a response", () => {
  const withHeaders = (...headers: [string, string][]) => ({
    status: 200,
    headers: headers.map(([name, value]) => ({ name, value })),
  });

  test("takes the same length said twice, and refuses two, signs and lists that differ", () => {
    for (const value of ["1, 1", "1,1"]) framingOf("GET", withHeaders(["content-length", value]));
    framingOf("GET", withHeaders(["content-length", "7"], ["content-length", "7"]));
    for (const value of ["1, 2", "+1", "-1", "x", "", "1e3", "9".repeat(16)]) {
      expect(() => framingOf("GET", withHeaders(["content-length", value]))).toThrow(
        "malformed content-length",
      );
    }
  });

  test("that ends too early is an error at its close, and one that ends with the connection is none", () => {
    expect(() => framingOf("GET", CHUNKED).close()).toThrow("before the last chunk");
    expect(() => framingOf("GET", withHeaders(["content-length", "1"])).close()).toThrow(
      "1 bytes before the end",
    );
    const open = framingOf("GET", withHeaders(["transfer-encoding", "identity"]));
    expect(open.isDone).toBe(false);
    open.close();
    expect(open.isDone).toBe(true);
  });
});

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { EventLog } from "../../lib/process/event_log.ts";
import { type Found, searchLog, type SearchOptions } from "../../lib/process/search/search_log.ts";
import { seedOf } from "../fuzz/seed.ts";

const usual: SearchOptions = {
  from: { afterSeq: 0 },
  stream: null,
  grep: null,
  head: null,
  tail: null,
  limit: 1024 * 1024,
  follow: false,
  breathe: () => null,
  givenUp: new AbortController().signal,
};

const text = ({ chunks }: Found) => chunks.map(({ bytes }) => Buffer.from(bytes).toString()).join("");

function log(...texts: string[]): EventLog {
  const log = new EventLog();
  for (const chunk of texts) log.appendOutput("stdout", Buffer.from(chunk));
  return log;
}

describe("a search", () => {
  test("finds lines that came in several pieces, once, and the last without its newline", async () => {
    const pieces = log("fi", "rst\nse", "cond\nthird\nfir", "st again");
    expect(text(await searchLog(pieces, { ...usual, grep: "first" }))).toBe("first\nfirst again");
    expect(text(await searchLog(pieces, { ...usual, head: 2 }))).toBe("first\nsecond\n");
    expect(text(await searchLog(pieces, { ...usual, tail: 2 }))).toBe("third\nfirst again");
  });

  test("lets an unfinished line wait while more is coming, and goes on where it began", async () => {
    const pieces = log("one\ntw");
    const first = await searchLog(pieces, { ...usual, grep: ".", follow: true });
    expect([text(first), first.place]).toEqual(["one\n", { afterSeq: 2 - 1, stdout: { seq: 1, skip: 4 } }]);
    pieces.appendOutput("stdout", Buffer.from("o\nthree"));
    const next = await searchLog(pieces, { ...usual, grep: ".", follow: true, from: first.place });
    expect(text(next)).toBe("two\n");
    pieces.appendExited(0, false);
    pieces.appendClosed();
    expect(text(await searchLog(pieces, { ...usual, grep: ".", follow: true, from: next.place }))).toBe(
      "three",
    );
  });

  test("that asked for the last lines goes on behind them, unfinished or not", async () => {
    const pieces = log("one\ntwo\nth");
    const last = await searchLog(pieces, { ...usual, tail: 2, follow: true });
    expect([text(last), last.place]).toEqual(["two\nth", { afterSeq: 1 }]);
    const none = await searchLog(pieces, { ...usual, tail: 0, follow: true });
    pieces.appendOutput("stdout", Buffer.from("ree\n"));
    expect(text(await searchLog(pieces, { ...usual, from: last.place, follow: true }))).toBe("ree\n");
    expect([text(none), none.place]).toEqual(["", { afterSeq: 1 }]);
  });

  test("says what is not kept any more, and joins no line across it", async () => {
    const pieces = log("be");
    pieces.appendGap(5, 100);
    pieces.appendOutput("stdout", Buffer.from("gin\n"));
    const found = await searchLog(pieces, { ...usual, grep: "begin|be|gin" });
    expect(found.chunks.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(["be", "gin\n"]);
    expect(found.gaps).toMatchObject([{ fromSeq: 2, toSeq: 5, bytes: 100 }]);
  });

  test("takes a line without end for several, and cuts the last ones to what fits", async () => {
    const long = log("x".repeat(200_000), "\nshort\n");
    const found = await searchLog(long, { ...usual, head: 10 });
    expect(found.chunks.map(({ bytes }) => bytes.length)).toEqual([65_536, 65_536, 65_536, 3_393, 6]);
    const last = await searchLog(long, { ...usual, tail: 10, limit: 5_000 });
    expect([last.chunks.map(({ bytes }) => bytes.length), last.isCut]).toEqual([[3_393, 6], true]);
  });

  test("in any parts finds what one search finds, and what a simple one would", async () => {
    const chunk = fc.record({
      stream: fc.constantFrom("stdout" as const, "stderr" as const),
      text: fc.string({ unit: fc.constantFrom("a", "b", "\n"), minLength: 1, maxLength: 6 }),
    });
    const asked = fc.record({
      grep: fc.constantFrom(null, "a", "^b", "ab$"),
      stream: fc.constantFrom(null, "stdout" as const, "stderr" as const),
      limit: fc.integer({ min: 1, max: 8 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(chunk, { maxLength: 80 }), asked, async (chunks, { grep, stream, limit }) => {
        const all = new EventLog();
        for (const { stream, text } of chunks) all.appendOutput(stream, Buffer.from(text));
        all.appendExited(0, false);
        all.appendClosed();
        const lines = (name: "stdout" | "stderr") =>
          stream !== null && stream !== name ? [] : (chunks.filter(({ stream }) => stream === name)
            .map(({ text }) => text).join("").match(/[^\n]*\n|[^\n]+$/g) ?? [])
            .filter((line) => grep === null || new RegExp(grep).test(line.replace("\n", "")));
        const found = { stdout: [] as string[], stderr: [] as string[] };
        let from: SearchOptions["from"] = { afterSeq: 0 };
        for (let more = true; more;) {
          const part = await searchLog(all, { ...usual, grep, stream, limit, head: 1_000, from });
          for (const { stream, bytes } of part.chunks) {
            found[stream as "stdout" | "stderr"].push(Buffer.from(bytes).toString());
          }
          more = part.more;
          from = part.place;
        }
        expect(found).toEqual({ stdout: lines("stdout"), stderr: lines("stderr") });
        const [tail, whole] = [
          await searchLog(all, { ...usual, grep, stream, tail: 3 }),
          await searchLog(all, { ...usual, grep, stream, head: 1_000 }),
        ];
        expect(text(tail)).toBe(
          whole.chunks.slice(-3).map(({ bytes }) => Buffer.from(bytes).toString()).join(""),
        );
      }),
      { seed: seedOf("a search"), numRuns: 500 },
    );
  });
});

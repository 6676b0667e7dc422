import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type LineSink, LineStream } from "../../lib/transport/line_stream.ts";
import { untilTrue } from "../support/peer_deadline.ts";

const LIMIT = 1_000;
const utf8 = (text: string) => new TextEncoder().encode(text);

/** Both ends of a line, and what was told of it. */
function line(limit = LIMIT) {
  let source!: ReadableStreamDefaultController<Uint8Array>;
  const input = new ReadableStream<Uint8Array>({ start: (controller) => void (source = controller) });
  const output = new Output();
  const stream = new LineStream(input, output, "test", limit);
  const told: string[] = [];
  stream.receive({
    message: (data) => told.push(`message ${data}`),
    heard() {},
    drained: () => told.push("drained"),
    ended: (reason) => told.push(`ended: ${reason}`),
  });
  const ended = () => untilTrue(() => told.some((text) => text.startsWith("ended")), "the end");
  return {
    stream,
    output,
    told,
    ended,
    give: (bytes: Uint8Array) => source.enqueue(bytes),
    close: () => source.close(),
  };
}

class Output implements LineSink {
  readonly written: string[] = [];
  isBroken = false;
  /** Where to wait before anything is written. */
  gate: Promise<void> | null = null;

  async write(bytes: Uint8Array | string): Promise<number> {
    if (this.gate !== null) await this.gate;
    if (this.isBroken) throw new Error("EPIPE");
    this.written.push(typeof bytes === "string" ? bytes : new TextDecoder().decode(bytes));
    return bytes.length;
  }

  flush(): number {
    return 0;
  }
}

/** What is told of bytes that come in one piece and then end. */
async function toldOf(bytes: Uint8Array, limit = LIMIT): Promise<string[]> {
  const { give, close, told, ended } = line(limit);
  give(bytes);
  close();
  await ended();
  return told;
}

describe("LineStream, inbound", () => {
  test("wherever the bytes are cut, each line is one message; blank lines are none", async () => {
    const lineText = fc.string({ unit: fc.constantFrom("a", "é", "€", "😀", "{", '"'), maxLength: 12 });
    const end = fc.constantFrom("\n", "\r\n", "\n\n", "\n \t\r\n");
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(lineText, end), { maxLength: 12 }),
        lineText,
        fc.array(fc.nat(200), { maxLength: 20 }),
        async (lines, last, cuts) => {
          const bytes = utf8(lines.flat().join("") + last);
          const { give, close, told, ended } = line();
          let from = 0;
          for (const cut of cuts.toSorted((a, b) => a - b)) {
            if (cut <= from || cut > bytes.length) continue;
            give(bytes.slice(from, cut));
            from = cut;
          }
          give(bytes.slice(from));
          close();
          await ended();
          const expected = [...lines.map(([text]) => text), last].filter((text) => text !== "");
          expect(told).toEqual([...expected.map((text) => `message ${text}`), "ended: end of input"]);
        },
      ),
      { numRuns: 200 },
    );
  });

  test("a line may have as many bytes as the limit says, whatever ends it, and not one more", async () => {
    const full = "x".repeat(LIMIT);
    for (const end of ["\n", "\r\n", ""]) {
      expect(await toldOf(utf8(full + end))).toEqual([`message ${full}`, "ended: end of input"]);
      expect(await toldOf(utf8(`${full}x${end}`))).toEqual(["ended: line too long"]);
    }
    // Bytes count, not characters.
    expect(await toldOf(utf8(`${"é".repeat(LIMIT / 2)}\n`))).toHaveLength(2);
    expect(await toldOf(utf8(`${"é".repeat(LIMIT / 2)}x\n`))).toEqual(["ended: line too long"]);
  });

  test("a line that never ends is given up as soon as it is too long", async () => {
    const { give, told, ended } = line();
    for (let n = 0; n < 11; n++) give(utf8("x".repeat(100)));
    await ended();
    expect(told).toEqual(["ended: line too long"]);
  });

  test("a line that is not UTF-8 ends the conversation, after the lines before it", async () => {
    const told = await toldOf(new Uint8Array([...utf8("good\n"), 0xff, 0x0a, ...utf8("never\n")]));
    expect([told[0], told.length]).toEqual(["message good", 2]);
    expect(told[1]).toStartWith("ended: ");
  });

  test("nothing is delivered while paused, and all of it after", async () => {
    const { stream, give, close, told, ended } = line();
    stream.pause();
    give(utf8("one\ntwo\n"));
    close();
    for (let n = 0; n < 5; n++) await new Promise((resolve) => setImmediate(resolve));
    expect(told).toEqual([]);
    stream.resume();
    stream.pause(); // in the same turn: still nothing
    for (let n = 0; n < 5; n++) await new Promise((resolve) => setImmediate(resolve));
    expect(told).toEqual([]);
    stream.resume();
    await ended();
    expect(told).toEqual(["message one", "message two", "ended: end of input"]);
  });

  test("once ended by this side nothing more is delivered", async () => {
    const { stream, give, told } = line();
    stream.end();
    stream.end();
    give(utf8("late\n"));
    for (let n = 0; n < 5; n++) await new Promise((resolve) => setImmediate(resolve));
    expect(told).toEqual(["ended: ended by this side"]);
  });
});

describe("LineStream, outbound", () => {
  test("each message is one line, in order, and flushed() waits for the last", async () => {
    const { stream, output } = line();
    for (const text of ["one", "two", "three"]) stream.send(text);
    await stream.flushed();
    stream.send("four");
    await stream.flushed();
    expect(output.written.join("")).toBe("one\ntwo\nthree\nfour\n");
    expect(stream.unsentBytes).toBe(0);
  });

  test("it is full above a MiB that nobody takes, and says when there is room", async () => {
    const { stream, output, told } = line();
    const { promise, resolve } = Promise.withResolvers<void>();
    output.gate = promise;
    stream.send("x".repeat(1024 * 1024));
    expect(stream.isFull).toBe(false);
    stream.send("x");
    expect([stream.isFull, stream.unsentBytes]).toEqual([true, 1024 * 1024 + 1]);
    resolve();
    await stream.flushed();
    expect([stream.isFull, stream.unsentBytes, told]).toEqual([false, 0, ["drained"]]);
  });

  test("an output that is closed ends it, and what is sent after that goes nowhere", async () => {
    const { stream, output, told, ended } = line();
    output.isBroken = true;
    stream.send("lost");
    await ended();
    stream.send("lost too");
    await stream.flushed();
    expect([told, output.written]).toEqual([["ended: output closed"], []]);
  });

  test("what its receiver says on hearing of the end of input is still sent", async () => {
    const output = new Output();
    const input = new ReadableStream<Uint8Array>({ start: (controller) => controller.close() });
    const stream = new LineStream(input, output, "test", LIMIT);
    const { promise, resolve } = Promise.withResolvers<void>();
    stream.receive({
      message() {},
      heard() {},
      drained() {},
      ended() {
        stream.send("the last answer");
        resolve();
      },
    });
    await promise;
    await stream.flushed();
    expect(output.written).toEqual(["the last answer\n"]);
  });
});

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, readdir, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "@std/path";
import * as fc from "fast-check";
import { RecordingFile } from "../../cli/run/recording_file.ts";
import { type RecordingEvent, RecordingLines } from "../../cli/run/recording_lines.ts";
import { dataOf, parseCast } from "../support/cast_file.ts";

const HEADER = { size: { rows: 24, cols: 80 }, terminalType: null, shell: null, startedAt: null };

const bytesOf = (text: string) => new TextEncoder().encode(text);
const output = (bytes: Uint8Array): RecordingEvent => ({ kind: "output", bytes });

/** The recording of events at their times. */
function recorded(...events: readonly (readonly [ms: number, event: RecordingEvent])[]) {
  const lines = new RecordingLines();
  return parseCast(
    RecordingLines.header(HEADER) + events.map(([ms, event]) => lines.of(event, ms)).join(""),
  );
}

describe("the lines of a recording", () => {
  test("begin with the terminal, and with what is known beside it", () => {
    expect(RecordingLines.header(HEADER)).toBe('{"version":3,"term":{"cols":80,"rows":24}}\n');
    expect(JSON.parse(RecordingLines.header({
      size: { rows: 50, cols: 132 },
      terminalType: "xterm",
      shell: "/bin/bash",
      startedAt: 1_700_000_000,
    }))).toEqual({
      version: 3,
      term: { cols: 132, rows: 50, type: "xterm" },
      timestamp: 1_700_000_000,
      env: { SHELL: "/bin/bash" },
    });
  });

  test("tell each event and the time since the one before", () => {
    const { events } = recorded(
      [250, output(bytesOf('\x1b[1mhi"\\\r\n'))],
      [1_250.4, { kind: "resize", size: { rows: 41, cols: 123 } }],
      [1_251, { kind: "marker", label: "connection lost" }],
      [2_000, { kind: "gap", bytes: 12 }],
      [2_000, { kind: "gap", bytes: null }],
      [3_000, { kind: "end", exitCode: 7 }],
    );
    expect(events).toEqual([
      [0.25, "o", '\x1b[1mhi"\\\r\n'],
      [1, "r", "123x41"],
      [0.001, "m", "connection lost"],
      [0.749, "m", "12 bytes of the output is missing"],
      [0, "m", "some of the output is missing"],
      [1, "x", "7"],
    ]);
  });

  test("do not tell an end that nobody saw", () => {
    expect(recorded([0, output(bytesOf("a"))], [5, { kind: "end", exitCode: null }]).events).toHaveLength(1);
  });

  test("never go back in time", () => {
    // The exit is told last, though others may have printed after it.
    expect(recorded([90, output(bytesOf("late"))], [50, { kind: "end", exitCode: 0 }]).events).toEqual([
      [0.09, "o", "late"],
      [0, "x", "0"],
    ]);
    const marks = [90, 50, 100].map((ms) => [ms, { kind: "marker", label: "" }] as const);
    expect(recorded(...marks).events.map(([interval]) => interval)).toEqual([0.09, 0, 0.01]);
  });

  test("keep time over many events that are shorter than its smallest part", () => {
    const marks = Array.from({ length: 1_000 }, (_, i) => [i * 0.4, { kind: "marker", label: "" }] as const);
    const ms = recorded(...marks).events.map(([interval]) => Math.round(interval * 1_000));
    expect(ms.reduce((sum, interval) => sum + interval)).toBe(400);
  });

  test("join a character that came in pieces, whatever happened between", () => {
    const { events } = recorded(
      [0, output(Uint8Array.of(0x61, 0xe2))],
      [10, output(Uint8Array.of(0x82))],
      [20, { kind: "marker", label: "between" }],
      [30, output(Uint8Array.of(0xac, 0x62))],
    );
    expect(events).toEqual([[0, "o", "a"], [0.02, "m", "between"], [0.01, "o", "€b"]]);
  });

  test("show a character whose rest never comes, and what is none, as U+FFFD", () => {
    const cut = Uint8Array.of(0xe2, 0x82);
    expect(recorded([0, output(cut)], [0, { kind: "gap", bytes: 1 }]).output).toBe("\ufffd");
    expect(recorded([0, output(cut)], [0, { kind: "end", exitCode: 1 }]).output).toBe("\ufffd");
    expect(recorded([0, output(Uint8Array.of(0x61, 0xff, 0x62))]).output).toBe("a\ufffdb");
  });

  test("lose no character and no millisecond, however it comes", () => {
    const seed = Date.now() % 1_000_000;
    console.log(`seed ${seed}`);
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme" }),
        fc.array(
          fc.tuple(fc.integer({ min: 1, max: 5 }), fc.double({ min: 0, max: 9_999, noNaN: true })),
          { minLength: 1 },
        ),
        (text, steps) => {
          const whole = bytesOf(`\ufeff${text}`);
          const lines = new RecordingLines();
          let [told, ms, at] = [RecordingLines.header(HEADER), 0, 0];
          for (const [size, wait] of steps) {
            ms += wait;
            told += lines.of(output(whole.slice(at, at += size)), ms);
          }
          told += lines.of(output(whole.slice(at)), ms) + lines.of({ kind: "end", exitCode: 0 }, ms);
          const cast = parseCast(told);
          expect(cast.output).toBe(`\ufeff${text}`);
          const seconds = cast.events.reduce((sum, [interval]) => sum + interval, 0);
          expect(Math.abs(seconds * 1_000 - ms)).toBeLessThan(0.51);
          expect(dataOf(cast.events, "x")).toEqual(["0"]);
        },
      ),
      { seed },
    );
  });
});

describe("the file of a recording", () => {
  let directory: string;
  let path: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "exec-server-recording-"));
    path = join(directory, "new.cast");
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  test("is its owner's only, and holds each line as soon as it is taken", async () => {
    await using file = RecordingFile.create(path);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await file.append("one\n");
    expect(await Bun.file(path).text()).toBe("one\n");
    await file.append("two é\n");
    await file.append("three\n");
    expect(await Bun.file(path).text()).toBe("one\ntwo é\nthree\n");
  });

  test("is never one that is there, nor one that a link leads to", async () => {
    const target = join(directory, "target");
    const link = join(directory, "link.cast");
    await symlink(target, link);
    await Bun.write(path, "kept");
    for (const there of [path, link, "/dev/null"]) {
      expect(() => RecordingFile.create(there)).toThrow(`cannot record to ${there}: it already exists`);
    }
    expect(await Bun.file(path).text()).toBe("kept");
    expect(await Bun.file(target).exists()).toBeFalse();
    expect(() => RecordingFile.create(join(directory, "none/x.cast"))).toThrow("No such file or directory");
  });

  test("is removed where nothing came to be in it, unless the name is another's by then", async () => {
    await RecordingFile.create(path)[Symbol.asyncDispose]();
    expect(await readdir(directory)).toEqual([]);
    const file = RecordingFile.create(path);
    await rm(path);
    await Bun.write(path, "another's");
    await file[Symbol.asyncDispose]();
    expect(await Bun.file(path).text()).toBe("another's");
  });
});

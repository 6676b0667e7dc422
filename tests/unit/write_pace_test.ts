import { afterEach, describe, expect, type Mock, spyOn, test } from "bun:test";
import { WritePace } from "../../lib/process/local/write_pace.ts";

// The pace measures half milliseconds, so the test says what time it is.
let now = 0;
let watch: Mock<() => number> | null = null;
afterEach(() => watch?.mockRestore());

function pace() {
  now = 1_000;
  watch = spyOn(performance, "now").mockImplementation(() => now);
  const pace = new WritePace();
  /** How long to wait after a chunk that came so many ms after the last pause or chunk. */
  return { pace, chunk: (bytes: number, after: number) => ((now += after), pace.pauseAfter(bytes)) };
}

describe("WritePace", () => {
  test("the eighth small chunk in quick succession makes the reader pause, and every one after it", () => {
    const { chunk } = pace();
    const pauses = Array.from({ length: 8 }, () => chunk(10, 0.1));
    expect(pauses).toEqual([0, 0, 0, 0, 0, 0, 0, 2]);
    // The pause itself is not counted as the writer's slowness.
    expect([chunk(10, 2.1), chunk(10, 2.1)]).toEqual([2, 2]);
  });

  test("large chunks are read without a pause, and start the count anew", () => {
    const { chunk } = pace();
    for (let n = 0; n < 100; n++) expect(chunk(4_096, 0.1)).toBe(0);
    for (let n = 0; n < 7; n++) expect(chunk(10, 0.1)).toBe(0);
    expect(chunk(65_536, 0.1)).toBe(0);
    for (let n = 0; n < 7; n++) expect(chunk(10, 0.1)).toBe(0);
  });

  test("a writer that takes its time is never held up", () => {
    const { chunk } = pace();
    for (let n = 0; n < 100; n++) expect(chunk(10, 0.6)).toBe(0);
  });

  test("a chatty writer that has paused needs to become chatty again", () => {
    const { chunk } = pace();
    for (let n = 0; n < 8; n++) chunk(10, 0.1);
    expect(chunk(10, 50)).toBe(0);
    expect(chunk(10, 0.1)).toBe(0);
  });

  test("whoever has just written to the child does not wait for its answer", () => {
    const { pace: paced, chunk } = pace();
    for (let n = 0; n < 7; n++) chunk(10, 0.1);
    paced.written();
    for (let n = 0; n < 7; n++) expect(chunk(10, 0.1)).toBe(0);
    expect(chunk(10, 0.1)).toBe(2);
  });
});

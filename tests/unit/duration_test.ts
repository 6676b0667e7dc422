import { expect, test } from "bun:test";
import { parseDuration } from "../../cli/duration.ts";

test.each([
  ["80", 80_000],
  ["80s", 80_000],
  ["1.5m", 90_000],
  ["250ms", 250],
  ["24h", 86_400_000],
  ["2d", 172_800_000],
  ["0", 0],
])("%s is %d ms", (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each(["", "s", "-1s", "1 s", "1S", "1w", "1.s", ".5s", "1e3", "0x10", "5s5", "∞"])(
  "%j is no time",
  (text) => {
    expect(parseDuration(text)).toBeNull();
  },
);

import { describe, expect, test } from "bun:test";
import { Meter, progressLine, sizeText, timeText } from "../../cli/files/progress.ts";

const MIB = 1024 * 1024;

describe("the meter of a copy", () => {
  test("tells the rate and the time that is left", () => {
    const meter = new Meter(0);
    meter.expect(10 * MIB, 1);
    meter.carried(MIB, 500);
    meter.carried(MIB, 1_000);
    expect(meter.at(1_000)).toEqual({
      bytes: 2 * MIB,
      total: 10 * MIB,
      files: 0,
      totalFiles: 1,
      rate: 2 * MIB,
      secondsLeft: 4,
    });
  });

  test("forgets how fast it was before", () => {
    const meter = new Meter(0);
    meter.expect(null, null);
    for (let at = 100; at <= 1_000; at += 100) meter.carried(10 * MIB, at);
    for (let at = 2_000; at <= 20_000; at += 1_000) meter.carried(MIB, at);
    expect(meter.at(20_000).rate).toBeCloseTo(MIB, -5);
    expect(meter.at(20_000).secondsLeft).toBeNull();
  });

  test("slows down while nothing comes", () => {
    const meter = new Meter(0);
    meter.carried(MIB, 1_000);
    expect(meter.at(10_000).rate).toBeLessThan(meter.at(1_000).rate / 9);
  });

  test("does not take for speed what an earlier run has carried", () => {
    const meter = new Meter(0);
    meter.expect(100 * MIB, 1);
    meter.skipped(90 * MIB);
    meter.carried(MIB, 1_000);
    expect(meter.at(1_000)).toMatchObject({ bytes: 91 * MIB, rate: MIB, secondsLeft: 9 });
  });

  test("takes back what has to be carried again", () => {
    const meter = new Meter(0);
    meter.expect(4 * MIB, 1);
    meter.carried(3 * MIB, 1_000);
    meter.skipped(-3 * MIB);
    meter.carried(MIB, 2_000);
    expect(meter.at(2_000)).toMatchObject({ bytes: MIB, rate: 2 * MIB, secondsLeft: 1.5 });
  });
});

describe("the line of progress", () => {
  const progress = { bytes: 5 * MIB, total: 10 * MIB, files: 0, totalFiles: 1, rate: MIB, secondsLeft: 5 };

  test("tells how much, how fast and how long", () => {
    const line = progressLine("big", progress, 80);
    expect(line).toStartWith("big ");
    expect(line).toContain(" 50%");
    expect(line).toContain("5.0 MiB");
    expect(line).toContain("1.0 MiB/s");
    expect(line).toEndWith("0:05 left");
  });

  test("never fills the last column, whatever the width and the name", () => {
    for (let columns = 1; columns <= 200; columns++) {
      for (const name of ["", "a", "é".repeat(300)]) {
        expect([...progressLine(name, progress, columns)].length).toBeLessThan(Math.max(columns, 1));
      }
    }
  });

  test("counts the files of a tree, and says nothing of an end that nobody knows", () => {
    const line = progressLine(
      "x",
      { ...progress, total: null, secondsLeft: null, files: 3, totalFiles: 9 },
      80,
    );
    expect(line).toEndWith("3/9 files");
    expect(line).not.toContain("%");
  });

  test("is whole for an empty file", () => {
    expect(progressLine("x", { ...progress, bytes: 0, total: 0 }, 80)).toContain("100%");
  });

  test.each([[0, "0 B"], [999, "999 B"], [1024, "1.0 KiB"], [10 * 1024, "10 KiB"], [1_048_000, "1.0 MiB"], [
    3 * 1024 ** 4,
    "3.0 TiB",
  ]])(
    "shows %d bytes as %s",
    (bytes, text) => expect(sizeText(bytes)).toBe(text),
  );

  test.each([[0, "0:00"], [59.2, "1:00"], [3_600, "1:00:00"], [1e9, ">99h"]])(
    "shows %d seconds as %s",
    (seconds, text) => expect(timeText(seconds)).toBe(text),
  );
});

import { describe, expect, test } from "bun:test";
import { readFile, rm } from "node:fs/promises";
import { ptr } from "bun:ffi";
import { join } from "@std/path";
import { AlignedBuffers, ALIGNMENT, alignUp } from "../../lib/process/local/aligned_buffers.ts";
import { DiskPace } from "../../lib/process/local/disk_pace.ts";
import { SpoolWriter } from "../../lib/process/local/spool_writer.ts";
import { spoolRoot } from "../support/spools.ts";

const MIB = 2 ** 20;
/** Tells of writes of which each takes so long. */
function tell(pace: DiskPace, ms: number, bytes: number, now: (ms: number) => void, times: number): void {
  for (let n = 0; n < times; n++) {
    const done = pace.begin(bytes);
    now(ms);
    done();
  }
}

describe("what is written to a spool", () => {
  test("is there as it was, whatever its pieces, past the cache or through it", async () => {
    const root = await spoolRoot();
    try {
      for (const [name, pace] of [["past", new DiskPace()], ["through", slowPace()]] as const) {
        const path = join(root, name);
        const writer = new SpoolWriter(pace);
        const expected: Buffer[] = [];
        let at = 0;
        for (
          const sizes of [[1], [16, 65_536, 7], [ALIGNMENT], [3 * MIB + 1, 5], Array<number>(700).fill(9)]
        ) {
          const pieces = sizes.map((size, n) => new Uint8Array(size).fill(1 + n % 250));
          const file = await writer.open(path, at === 0);
          await file.write(pieces, at);
          await file.close();
          const bytes = Buffer.concat(pieces);
          expected.push(bytes, Buffer.alloc(alignUp(bytes.length) - bytes.length));
          at += alignUp(bytes.length);
        }
        const found = await readFile(path);
        const all = Buffer.concat(expected);
        let begin = 0;
        for (let n = 0; n < expected.length; n += 2) {
          const { length } = expected[n]!;
          expect(found.subarray(begin, begin + length).equals(all.subarray(begin, begin + length))).toBe(
            true,
          );
          begin += length + expected[n + 1]!.length;
        }
      }
    } finally {
      await rm(root, { recursive: true });
    }
  });
});

/** As of a disk that was found slow. */
function slowPace(): DiskPace {
  let now = 0;
  const pace = new DiskPace(() => now);
  tell(pace, 100, MIB, (ms) => (now += ms), 16);
  expect(pace.isFast).toBe(false);
  return pace;
}

describe("the pace of a disk", () => {
  test("is slow when the best of many writes is, and is tried again after a GiB", () => {
    let now = 0;
    const pace = new DiskPace(() => now);
    const wrote = (ms: number, times: number) => tell(pace, ms, MIB, (by) => (now += by), times);
    wrote(100, 15);
    expect(pace.isFast).toBe(true); // any of them may have waited for something else
    wrote(1, 1);
    expect(pace.isFast).toBe(true);
    wrote(100, 16);
    expect(pace.isFast).toBe(false);
    for (let n = 0; n < 1023; n++) pace.wroteThroughCache(MIB);
    expect(pace.isFast).toBe(false);
    pace.wroteThroughCache(MIB);
    expect(pace.isFast).toBe(true);
  });

  test("is that of all writes together, and small ones say nothing", () => {
    let now = 0;
    const pace = new DiskPace(() => now);
    for (let n = 0; n < 16; n++) {
      const done = [pace.begin(MIB), pace.begin(MIB), pace.begin(MIB)];
      now += 9;
      for (const one of done) one();
    }
    expect(pace.isFast).toBe(true); // 111 MiB/s each
    tell(pace, 1_000, 4096, (ms) => (now += ms), 100);
    expect(pace.isFast).toBe(true);
  });
});

describe("aligned buffers", () => {
  test("begin where a disk can read them, and are as many as there may be", async () => {
    const buffers = new AlignedBuffers(10_000, 2);
    const [one, other] = [await buffers.take(), await buffers.take()];
    for (const { length } of [one, other]) expect(length).toBe(10_000);
    expect([ptr(one) % ALIGNMENT, ptr(other) % ALIGNMENT]).toEqual([0, 0]);
    const third = buffers.take();
    expect(third).toBeInstanceOf(Promise);
    buffers.giveBack(other);
    expect(await third).toBe(other);
    buffers.giveBack(one);
    expect(await buffers.take()).toBe(one);
  });
});

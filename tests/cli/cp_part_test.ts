import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  renameSync,
  symlinkSync,
  truncateSync,
  utimesSync,
} from "node:fs";
import { join } from "@std/path";
import type { Arrival } from "../../cli/files/arrival.ts";
import { arrivalAt } from "../../cli/files/choose_arrival.ts";
import { BLOCK_BYTES, BLOCKS_UNDER_WAY } from "../../cli/files/blocks.ts";
import { bytePath } from "../../cli/files/byte_path.ts";
import { farSide } from "../../cli/files/far_side.ts";
import { hereSide } from "../../cli/files/here_side.ts";
import { ownPartBeside } from "../../cli/files/part_name.ts";
import type { Facts, Side } from "../../cli/files/side.ts";
import { sweepParts } from "../../cli/files/sweep_parts.ts";
import type { FileSystem } from "../../lib/fs/file_system.ts";
import { FsError } from "../../lib/fs/fs_error.ts";
import { localFileSystem } from "../../lib/fs/local/local_file_system.ts";
import { fileTargets } from "../support/file_targets.ts";
import { directory } from "./file_words.ts";

const BLOCKS = 16;
const SIZE = BLOCKS * BLOCK_BYTES;
const HALF = SIZE / 2;
/** What was under way last is not relied upon. */
const SURE = HALF - BLOCKS_UNDER_WAY * BLOCK_BYTES;

const SOURCE: Facts = {
  kind: "file",
  isLink: false,
  size: SIZE,
  modifiedAtMs: 1_500_000_000_000,
  createdAtMs: 0,
  accessedAtMs: null,
  changedAtMs: null,
  mode: 0o640,
  identity: null,
  links: null,
  linkTarget: null,
};

/** Both sides of a copy place files in the same way, where they can rename. */
const SIDES = fileTargets.filter(({ server }) => server === null || server === "ours");

async function open(name: string) {
  const { files, [Symbol.asyncDispose]: end } = await SIDES.find((target) => target.name === name)!.open();
  const side = name === "local"
    ? hereSide(files)
    : await farSide({ name: "there", files, start: null, home: null });
  return { side, [Symbol.asyncDispose]: end };
}

function arrivalIn(side: Side, path: string, version = "1", source = "the same place") {
  return arrivalAt(side, {
    path: bytePath(join(path, "copy")),
    existing: null,
    source: SOURCE,
    origin: { source, version },
  });
}

async function writeBlocks(arrival: Arrival, start: number, end: number, text: string): Promise<void> {
  for (let at = start; at < end; at += BLOCK_BYTES) {
    await arrival.write(at, Buffer.alloc(BLOCK_BYTES, text));
  }
}

/** Leaves the first half of a file behind, as a lost connection does; its name. */
async function leaveHalf(side: Side, dir: ReturnType<typeof directory>): Promise<string> {
  const arrival = arrivalIn(side, dir.path);
  expect(await arrival.begin()).toBe(0);
  await writeBlocks(arrival, 0, HALF, "half");
  const kept = await arrival.abandon(true);
  const [name, ...others] = dir.names();
  expect({ kept, others }).toEqual({
    kept: { path: bytePath(join(dir.path, name!)), bytes: SURE },
    others: [],
  });
  return join(dir.path, name!);
}

describe.each(SIDES.map(({ name }) => name))("a file that arrives (%s)", (name) => {
  test("goes on from what an earlier run left, and is there all at once with mode and time", async () => {
    using dir = directory();
    await using place = await open(name);
    await leaveHalf(place.side, dir);
    const arrival = arrivalIn(place.side, dir.path);
    expect(await arrival.begin()).toBe(SURE);
    await writeBlocks(arrival, SURE, SIZE, "half");
    expect(existsSync(join(dir.path, "copy"))).toBe(false);
    await arrival.finish(SIZE, SOURCE);
    expect(dir.names()).toEqual(["copy"]);
    const { mode, mtimeMs, size } = lstatSync(join(dir.path, "copy"));
    expect([mode & 0o777, mtimeMs, size]).toEqual([0o640, SOURCE.modifiedAtMs, SIZE]);
    expect(await Bun.file(join(dir.path, "copy")).text()).toBe("half".repeat(SIZE / 4));
  });

  test("does not go on with another version of it", async () => {
    using dir = directory();
    await using place = await open(name);
    await leaveHalf(place.side, dir);
    expect(await arrivalIn(place.side, dir.path, "2").begin()).toBe(0);
  });

  test("is private until it is whole, and holes stay holes", async () => {
    using dir = directory();
    await using place = await open(name);
    const arrival = arrivalIn(place.side, dir.path);
    await arrival.begin();
    await arrival.write(0, Buffer.alloc(BLOCK_BYTES, "a"));
    for (let at = 1; at < BLOCKS; at++) await arrival.write(at * BLOCK_BYTES, Buffer.alloc(BLOCK_BYTES));
    expect(dir.names().map((part) => lstatSync(join(dir.path, part)).mode & 0o777)).toEqual([0o600]);
    await arrival.finish(SIZE, SOURCE);
    const { size, blocks } = lstatSync(join(dir.path, "copy"));
    expect(size).toBe(SIZE);
    expect(blocks * 512).toBeLessThan(2 * BLOCK_BYTES);
  });

  test("that two runs bring at a time is one whole file, whoever ends first", async () => {
    using dir = directory();
    await using place = await open(name);
    const [one, other] = [arrivalIn(place.side, dir.path), arrivalIn(place.side, dir.path)];
    await one.begin();
    await writeBlocks(one, 0, HALF, "same");
    const start = await other.begin();
    expect(start).toBe(SURE);
    await writeBlocks(one, HALF, SIZE, "same");
    await one.finish(SIZE, SOURCE);
    await writeBlocks(other, SURE, SIZE, "same");
    await other.finish(SIZE, SOURCE);
    expect(dir.names()).toEqual(["copy"]);
    expect(await Bun.file(join(dir.path, "copy")).text()).toBe("same".repeat(SIZE / 4));
    expect(lstatSync(join(dir.path, "copy")).mtimeMs).toBe(SOURCE.modifiedAtMs);
  });

  test("of two contents to one place is one of them, and no mixture", async () => {
    using dir = directory();
    await using place = await open(name);
    const [one, other] = [arrivalIn(place.side, dir.path, "1"), arrivalIn(place.side, dir.path, "2")];
    await one.begin();
    await other.begin();
    await Promise.all([writeBlocks(one, 0, SIZE, "one "), writeBlocks(other, 0, SIZE, "two ")]);
    await one.finish(SIZE, SOURCE);
    expect(await Bun.file(join(dir.path, "copy")).text()).toBe("one ".repeat(SIZE / 4));
    await other.finish(SIZE, SOURCE);
    expect(await Bun.file(join(dir.path, "copy")).text()).toBe("two ".repeat(SIZE / 4));
    expect(dir.names()).toEqual(["copy"]);
  });

  test("leaves nothing where nothing could go on from it", async () => {
    using dir = directory();
    await using place = await open(name);
    const arrival = arrivalIn(place.side, dir.path);
    await arrival.begin();
    await arrival.write(0, Buffer.alloc(BLOCK_BYTES, "x"));
    expect(await arrival.abandon(true)).toBeNull();
    expect(dir.names()).toEqual([]);
  });
});

/** What somebody else could put under the name that he guessed. */
const PUT: Readonly<Record<string, (part: string, other: string) => void>> = {
  "that others may open": (part) => chmodSync(part, 0o644),
  "that is longer than the source": (part) => truncateSync(part, SIZE + 1),
  "with a second name": (part, other) => linkSync(part, other),
  "that is a link": (part, other) => {
    renameSync(part, other);
    symlinkSync(other, part);
  },
  "that is a pipe": (part, other) => {
    renameSync(part, other);
    Bun.spawnSync(["mkfifo", "-m", "600", part]);
  },
  ...(process.geteuid?.() === 0 ? { "of another user": (part) => chownSync(part, 65534, 65534) } : {}),
};

describe.each(SIDES.map(({ name }) => name))("a file that arrives (%s)", (name) => {
  test.each(Object.keys(PUT))("does not go on from a file %s", async (what) => {
    using dir = directory();
    await using place = await open(name);
    const part = await leaveHalf(place.side, dir);
    const other = join(dir.path, "other");
    PUT[what]!(part, other);
    const before = lstatSync(part);

    const arrival = arrivalIn(place.side, dir.path);
    expect(await arrival.begin()).toBe(0);
    const begun = dir.names().filter((at) => at.endsWith(".part") && join(dir.path, at) !== part);
    expect(begun.map((at) => lstatSync(join(dir.path, at)).mode & 0o777)).toEqual([0o600]);
    await writeBlocks(arrival, 0, SIZE, "whole");
    await arrival.finish(SIZE, SOURCE);
    expect(lstatSync(join(dir.path, "copy"))).toMatchObject({ nlink: 1, uid: process.geteuid?.() });
    const block = "whole".repeat(BLOCK_BYTES / 5 + 1).slice(0, BLOCK_BYTES);
    expect(await Bun.file(join(dir.path, "copy")).text()).toBe(block.repeat(BLOCKS));
    // What was there is as it was.
    expect(lstatSync(part)).toMatchObject({ ino: before.ino, mode: before.mode, mtimeMs: before.mtimeMs });
    if (existsSync(other)) expect(await Bun.file(other).text()).toBe("half".repeat(HALF / 4));
  });
});

describe("a file whose last step was done, and the answer was lost,", () => {
  const lost = new FsError("system", "connection lost", "ECONNRESET");
  const localAsFar = (change: Partial<FileSystem>) =>
    farSide({ name: "there", files: { ...localFileSystem, ...change }, start: null, home: null });

  async function finishTwice(side: Side, path: string): Promise<number | "whole"> {
    const arrival = arrivalIn(side, path);
    await arrival.begin();
    await writeBlocks(arrival, 0, SIZE, "once");
    const finished = Promise.resolve(arrival.finish(SIZE, SOURCE));
    expect(await finished.then(() => null, (error: unknown) => error)).toBe(lost);
    const begun = await arrival.begin();
    if (begun !== "whole") await writeBlocks(arrival, begun, SIZE, "once");
    await arrival.finish(SIZE, SOURCE);
    return begun;
  }

  test("is not sent again when it was the renaming", async () => {
    using dir = directory();
    let renamed = 0;
    const side = await localAsFar({
      rename(from, to) {
        renamed++;
        localFileSystem.rename(from, to);
        throw lost;
      },
    });
    expect(await finishTwice(side, dir.path)).toBe("whole");
    expect({ renamed, names: dir.names() }).toEqual({ renamed: 1, names: ["copy"] });
  });

  test.each([0o640, 0o600])("is not sent again when it was the mode and the time (%o)", async (mode) => {
    using dir = directory();
    let losses = 1;
    const side = await localAsFar({
      async open(path, how, options) {
        const file = await localFileSystem.open(path, how, options);
        return {
          size: file.size,
          read: (offset, length) => file.read(offset, length),
          write: (offset, bytes) => file.write(offset, bytes),
          close: () => file.close(),
          async setAttributes(attributes) {
            await file.setAttributes({ ...attributes, mode });
            if (losses-- > 0) throw lost;
          },
        };
      },
    });
    // With the mode of a part it may also be half of one: then its end is sent again.
    expect(await finishTwice(side, dir.path)).toBe(
      mode === 0o640 ? "whole" : SIZE - BLOCKS_UNDER_WAY * BLOCK_BYTES,
    );
    expect(dir.names()).toEqual(["copy"]);
    expect(await Bun.file(join(dir.path, "copy")).text()).toBe("once".repeat(SIZE / 4));
  });
});

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Brings a file whole; its stem. */
async function bring(side: Side, path: string, version: string, source?: string): Promise<string> {
  const arrival = arrivalIn(side, path, version, source);
  await arrival.begin();
  await writeBlocks(arrival, 0, SIZE, "new ");
  await arrival.finish(SIZE, SOURCE);
  return arrival.stem!;
}

function age(path: string, ms: number): void {
  const time = (Date.now() - ms) / 1000;
  utimesSync(path, time, time);
}

test("parts of older versions go when the file is there, those of others when they are forgotten", async () => {
  using dir = directory();
  await using place = await open("local");
  const older = await leaveHalf(place.side, dir);
  const part = (digit: string) => {
    const digits = digit.repeat(16);
    return join(dir.path, `.exec-server-${digits}-${digits}-${digits}.part`);
  };
  for (const digit of ["a", "b"]) await Bun.write(part(digit), "");
  age(part("a"), 8 * DAY_MS);
  age(part("b"), 6 * DAY_MS);
  await Bun.write(join(dir.path, ".exec-server-mine.part"), "");
  age(join(dir.path, ".exec-server-mine.part"), 8 * DAY_MS);
  const stem = await bring(place.side, dir.path, "2");
  expect(existsSync(older)).toBe(true);
  await sweepParts(place.side, bytePath(dir.path), new Set([stem]));
  expect(dir.names().map((at) => join(dir.path, at))).toEqual([
    part("b"),
    join(dir.path, ".exec-server-mine.part"),
    join(dir.path, "copy"),
  ]);
});

describe.each(SIDES.map(({ name }) => name))("a part of another source for the same place (%s)", (name) => {
  test("goes when that was filled and nobody writes to it any more", async () => {
    using dir = directory();
    await using place = await open(name);
    const other = await leaveHalf(place.side, dir);
    const sweep = async () =>
      await sweepParts(
        place.side,
        bytePath(dir.path),
        new Set([await bring(place.side, dir.path, "1", "elsewhere")]),
      );
    await sweep();
    expect(existsSync(other)).toBe(true);
    age(other, MINUTE_MS);
    await sweep();
    expect(existsSync(other)).toBe(true);
    age(other, 3 * MINUTE_MS);
    await sweep();
    expect(dir.names()).toEqual(["copy"]);
  });

  test("stays when another place was filled", async () => {
    using dir = directory();
    await using place = await open(name);
    const other = await leaveHalf(place.side, dir);
    age(other, DAY_MS);
    mkdirSync(join(dir.path, "sub"));
    const stem = await bring(place.side, join(dir.path, "sub"), "1", "elsewhere");
    await sweepParts(place.side, bytePath(dir.path), new Set([stem]));
    expect(existsSync(other)).toBe(true);
  });
});

test("what a process has left that is gone goes at once, what one may still write to stays", async () => {
  using dir = directory();
  await using place = await open("local");
  await using ended = Bun.spawn(["true"]);
  await ended.exited;
  const own = ownPartBeside(bytePath(join(dir.path, "copy")));
  const ofNumber = (pid: number) => own.replace(/-[0-9a-f]+\.part$/, `-${pid.toString(16)}.part`);
  const [left, elsewhere] = [
    ofNumber(ended.pid),
    ofNumber(ended.pid).replace(/[0-9a-f]{8}(-[^-]+)$/, "00000000$1"),
  ];
  for (const path of [own, left, elsewhere]) await Bun.write(path, "");
  await sweepParts(place.side, bytePath(dir.path), new Set());
  expect([own, left, elsewhere].map((path) => existsSync(path))).toEqual([true, false, true]);
});

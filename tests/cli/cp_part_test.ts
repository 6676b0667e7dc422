import { expect, test } from "bun:test";
import { chmodSync, chownSync, existsSync, linkSync, lstatSync, renameSync, symlinkSync } from "node:fs";
import { join } from "@std/path";
import { localFileSystem } from "../../lib/fs/local/local_file_system.ts";
import { arrivalAt } from "../../cli/files/arrival.ts";
import { bytePath } from "../../cli/files/byte_path.ts";
import { hereSide } from "../../cli/files/here_side.ts";
import { Leftovers } from "../../cli/files/leftovers.ts";
import { directory } from "./file_words.ts";

const SIZE = 1000;

function arrivalIn(path: string) {
  return arrivalAt(hereSide(localFileSystem), {
    path: bytePath(join(path, "down")),
    existing: null,
    size: SIZE,
    origin: "the same place",
    leftovers: new Leftovers(),
  });
}

/** Leaves the first half of a file behind, as a lost connection does; its name. */
async function leaveHalf(dir: ReturnType<typeof directory>): Promise<string> {
  const arrival = arrivalIn(dir.path);
  expect(await arrival.begin()).toBe(0);
  await arrival.write(0, Buffer.alloc(SIZE / 2, "half"));
  await arrival.abandon(true);
  const [name, ...others] = dir.names();
  expect(others).toEqual([]);
  return join(dir.path, name!);
}

test("a download goes on from what an earlier one left", async () => {
  using dir = directory();
  await leaveHalf(dir);
  const arrival = arrivalIn(dir.path);
  expect(await arrival.begin()).toBe(SIZE / 2);
  await arrival.finish(SIZE, null);
  expect(dir.names()).toEqual(["down"]);
});

/** What somebody else could put under the name that he guessed. */
const PUT: Readonly<Record<string, (part: string, other: string) => void>> = {
  "that others may open": (part) => chmodSync(part, 0o644),
  "that is longer than the source": (part) => Bun.spawnSync(["truncate", "-s", `${SIZE + 1}`, part]),
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

test.each(Object.keys(PUT))("a download does not go on from a file %s", async (name) => {
  using dir = directory();
  const part = await leaveHalf(dir);
  const other = join(dir.path, "other");
  PUT[name]!(part, other);
  const before = lstatSync(part);

  const arrival = arrivalIn(dir.path);
  expect(await arrival.begin()).toBe(0);
  const begun = dir.names().filter((at) => at.endsWith(".part") && join(dir.path, at) !== part);
  expect(begun.map((at) => lstatSync(join(dir.path, at)).mode & 0o777)).toEqual([0o600]);
  await arrival.write(0, Buffer.alloc(SIZE, "whole"));
  await arrival.finish(SIZE, null);
  expect(lstatSync(join(dir.path, "down"))).toMatchObject({ nlink: 1, uid: process.geteuid?.() });
  expect(await Bun.file(join(dir.path, "down")).text()).toBe("whole".repeat(SIZE / 5));
  // What was there is as it was.
  expect(lstatSync(part)).toMatchObject({ ino: before.ino, mode: before.mode, mtimeMs: before.mtimeMs });
  if (existsSync(other)) expect(await Bun.file(other).text()).toBe("half".repeat(SIZE / 8));
});

test("a download that cannot be kept for later leaves nothing", async () => {
  using dir = directory();
  const part = await leaveHalf(dir);
  Bun.spawnSync(["sh", "-c", 'rm "$0" && mkdir -p "$0/full"', part]);
  const arrival = arrivalIn(dir.path);
  await arrival.begin();
  await arrival.write(0, Buffer.alloc(10, "x"));
  expect(() => arrival.abandon(true)).toThrow();
  expect(dir.names().map((name) => join(dir.path, name))).toEqual([part]);
});

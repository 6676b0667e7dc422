import { expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "@std/path";
import type { WalkOptions } from "../../lib/fs/file_system.ts";
import { localFileSystem as files } from "../../lib/fs/local/local_file_system.ts";
import { serve } from "../../lib/server/serve.ts";
import { Peer } from "../support/peer.ts";
import { untilTrue } from "../support/peer_deadline.ts";

const FILES = 1_500;

function directory(): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), "give-up-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

function putTree(path: string): string {
  mkdirSync(path);
  for (let n = 0; n < FILES; n++) writeFileSync(join(path, `file-${n}`), "");
  return path;
}

/** Given up a few turns after it has begun. */
function soon(): AbortSignal {
  const giving = new AbortController();
  let turns = 3;
  const next = () => turns-- > 0 ? setImmediate(next) : giving.abort();
  next();
  return giving.signal;
}

test("a tree that is given up is copied no further", async () => {
  using here = directory();
  const source = putTree(join(here.path, "source"));
  const copy = join(here.path, "copy");
  const copied = Promise.resolve(files.copy(source, copy, { recursive: true, givenUp: soon() }));
  await expect(copied).rejects.toThrow("given up");
  expect(readdirSync(copy).length).toBeLessThan(FILES);
});

test("a tree that is given up is removed no further", async () => {
  using here = directory();
  const tree = putTree(join(here.path, "tree"));
  const removed = Promise.resolve(files.remove(tree, { recursive: true, force: true, givenUp: soon() }));
  await expect(removed).rejects.toThrow("given up");
  expect(readdirSync(tree).length).toBeGreaterThan(0);
});

test("a walk that is given up ends", async () => {
  using here = directory();
  const tree = putTree(join(here.path, "tree"));
  const giving = new AbortController();
  let seen = 0;
  const options: WalkOptions = {
    maxDepth: 64,
    maxDirectories: 10_000,
    maxEntries: 50_000,
    followDirectorySymlinks: false,
    pruneHiddenDirectories: false,
    givenUp: giving.signal,
  };
  const walked = Promise.resolve(files.walk(tree, options, () => {
    if (++seen === 10) giving.abort();
    return true;
  }));
  await expect(walked).rejects.toThrow("given up");
  expect(seen).toBeLessThan(100);
});

test("a copy that is given up leaves no new file, and of an old one the beginning of the new", async () => {
  using here = directory();
  const [source, fresh, old] = ["source", "fresh", "old"].map((name) => join(here.path, name)) as [
    string,
    string,
    string,
  ];
  const bytes = 64 * 1024 * 1024;
  writeFileSync(source, Buffer.alloc(bytes, "x"));
  writeFileSync(old, "old");
  for (const destination of [fresh, old]) {
    const copied = Promise.resolve(files.copy(source, destination, { recursive: false, givenUp: soon() }));
    await expect(copied).rejects.toThrow("given up");
  }
  expect(existsSync(fresh)).toBe(false);
  expect(statSync(old).size).toBeLessThan(bytes);
});

test("a copy ends with the connection of who asked for it", async () => {
  using here = directory();
  const [source, pipe] = [join(here.path, "source"), join(here.path, "pipe")];
  writeFileSync(source, Buffer.alloc(1024 * 1024, "x"));
  execFileSync("mkfifo", [pipe]);
  const reading = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const server = await serve({ listen: "ws://127.0.0.1:0" });
    try {
      {
        await using peer = await Peer.ready(server.url);
        const params = {
          sourcePath: `file://${source}`,
          destinationPath: `file://${pipe}`,
          recursive: false,
        };
        void peer.call("fs/copy", params).catch(() => {}); // nobody reads, so it waits
        await untilTrue(() => openings(pipe) === 2, "the pipe to be written to");
      }
      await untilTrue(() => openings(pipe) === 1, "the copy to end");
      expect(readSync(reading, Buffer.alloc(2 * 1024 * 1024))).toBeLessThan(1024 * 1024);
    } finally {
      await server.close();
    }
  } finally {
    closeSync(reading);
  }
});

/** How many descriptors of this program lead there. */
function openings(path: string): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path;
    } catch {
      return false; // closed meanwhile
    }
  }).length;
}

import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import {
  type FileSystem,
  type NativePath,
  type WalkItem,
  type WalkOptions,
} from "../../lib/fs/file_system.ts";
import { readBlocks, writeBlocks } from "../../lib/fs/file_blocks.ts";
import { directory, failure } from "../support/file_facts.ts";
import { fileTargets } from "../support/file_targets.ts";

const WHOLE_TREE: WalkOptions = {
  maxDepth: 64,
  maxDirectories: 10_000,
  maxEntries: 50_000,
  followDirectorySymlinks: false,
  pruneHiddenDirectories: false,
};

async function collect(files: FileSystem, root: NativePath, options: Partial<WalkOptions> = {}) {
  const items: WalkItem[] = [];
  const { truncated } = await files.walk(root, { ...WHOLE_TREE, ...options }, (item) => items.push(item) > 0);
  return { items, truncated };
}

const text = async (bytes: Uint8Array | Promise<Uint8Array>) => Buffer.from(await bytes).toString();

const NAMES: readonly NativePath[] = [
  Buffer.from([0xff, 0xfe]),
  "new\nline",
  "per%41",
  "ö",
  "\u{fffd}",
  " ",
  "-",
  "x".repeat(255),
];

const nowhere = () => {};

for (const { name, server, watches = true, open } of fileTargets) {
  const isCodex = server === "0.169.0" || server === "0.145.0";
  /** What a Codex server does otherwise; its known differences stand in the conformance tests. */
  const ours = isCodex ? nowhere : test;
  /** What Codex could not in the beginning. */
  const newer = server === "0.145.0" ? nowhere : test;
  const watched = watches ? newer : nowhere;
  const older = server === "0.145.0" ? test : nowhere;

  describe(`the ${name} file system`, () => {
    test("reads what was written, also of many bytes", async () => {
      using here = directory();
      await using opened = await open();
      const { files } = opened;
      for (const length of [0, 1, 1_000, 256 * 1024, 256 * 1024 + 1, 5_000_000]) {
        const bytes = Buffer.alloc(length, "abcdefg");
        await files.writeFile(`${here.path}/file`, bytes);
        expect(Buffer.from(await files.readFile(`${here.path}/file`)).equals(bytes)).toBe(true);
      }
    });

    test("writes in place, so that mode and hard links stay", async () => {
      using here = directory();
      await using opened = await open();
      const file = here.put("file", "old");
      chmodSync(file, 0o600);
      linkSync(file, `${here.path}/same`);
      await opened.files.writeFile(file, Buffer.from("new and longer"));
      expect(readFileSync(`${here.path}/same`, "utf8")).toBe("new and longer");
      expect(statSync(file).mode & 0o777).toBe(0o600);
    });

    test("names of any bytes go in and come out", async () => {
      using here = directory();
      await using opened = await open();
      const { files } = opened;
      for (const name of NAMES) {
        const path = Buffer.concat([Buffer.from(`${here.path}/`), Buffer.from(name as string)]);
        await files.writeFile(path, Buffer.from("x"));
        expect(await text(await files.readFile(path))).toBe("x");
        expect(Buffer.from(await files.canonicalize(path) as string).equals(path)).toBe(true);
      }
    });

    ours("tells names of any bytes", async () => {
      using here = directory();
      await using opened = await open();
      const { files } = opened;
      for (const name of NAMES) {
        writeFileSync(Buffer.concat([Buffer.from(`${here.path}/`), Buffer.from(name as string)]), "");
      }
      const bytesOf = (name: NativePath) => Buffer.from(name as string).toString("hex");
      const expected = NAMES.map(bytesOf).sort();
      const { items } = await collect(files, here.path);
      expect(items.map(({ path }) => bytesOf(path))).toEqual(expected);
      const listed = await files.readDirectory(here.path);
      expect(listed.map(({ name }) => bytesOf(name)).sort()).toEqual(expected);
    });

    test("fails with the system's name for why", async () => {
      using here = directory();
      await using opened = await open();
      const { files } = opened;
      here.put("file", "x");
      const missing = `${here.path}/missing/file`;
      for (
        const doing of [
          () => files.readFile(missing),
          () => files.writeFile(missing, Buffer.from("")),
          () => files.open(missing, "read"),
          () => files.getMetadata(missing),
          () => files.canonicalize(missing),
          () => files.readDirectory(missing),
          () => files.createDirectory(missing, { recursive: false }),
          () => files.remove(missing, { recursive: true, force: false }),
          () => files.copy(missing, `${here.path}/x`, { recursive: true }),
          () => collect(files, missing),
        ]
      ) expect(await failure(doing)).toBe("ENOENT");
      expect(await failure(() => files.readDirectory(`${here.path}/file`))).toBe("ENOTDIR");
      expect(await failure(() => files.createDirectory(`${here.path}/file`, { recursive: true }))).toBe(
        "EEXIST",
      );
      expect(await failure(() => files.readFile(here.path))).toBe(`path \`${here.path}\` is not a file`);
      expect(await failure(() => files.readFile("/tmp/\0"))).toBe(
        "file name contained an unexpected NUL byte",
      );
    });

    newer("an open file is read and written in blocks until it is closed", async () => {
      using here = directory();
      await using opened = await open();
      const { files } = opened;
      const written = await files.open(`${here.path}/file`, "replace");
      await written.write(1_000_000, Buffer.from("end"));
      await written.write(0, Buffer.alloc(600_000, "x"));
      expect(await failure(() => written.read(0, 1))).toBe("EBADF");
      await written.close();
      const read = await files.open(`${here.path}/file`, "read");
      expect(await text(await read.read(999_999, 10))).toBe("\0end");
      expect((await read.read(0, 700_000)).length).toBe(700_000);
      expect((await read.read(1_000_003, 5)).length).toBe(0);
      await read.close();
    });

    test("removes a deep and a wide tree, and nothing that a link in it leads to", async () => {
      using here = directory();
      await using opened = await open();
      const deep = `${here.path}/tree/${"d/".repeat(300)}`;
      mkdirSync(deep, { recursive: true });
      writeFileSync(`${deep}/file`, "x");
      for (let i = 0; i < 3_000; i++) here.put(`tree/${i}`, "");
      here.put("kept", "kept");
      symlinkSync("../kept", `${here.path}/tree/link`);
      symlinkSync("..", `${here.path}/tree/d/up`);
      await opened.files.remove(`${here.path}/tree`, { recursive: true, force: false });
      expect(readFileSync(`${here.path}/kept`, "utf8")).toBe("kept");
      expect(await failure(() => opened.files.getMetadata(`${here.path}/tree`))).toBe("ENOENT");
    });

    ours("a copy by way of a link into what is copied comes to an end", async () => {
      using here = directory();
      await using opened = await open();
      mkdirSync(`${here.path}/from/x/y`, { recursive: true });
      mkdirSync(`${here.path}/to`);
      symlinkSync("../from/x/y", `${here.path}/to/x`);
      expect(
        await failure(() => opened.files.copy(`${here.path}/from`, `${here.path}/to`, { recursive: true })),
      )
        .toBe("fs/copy cannot copy a directory to itself or one of its descendants");
    });

    test("a copied file is whole and has its mode, whatever was there", async () => {
      using here = directory();
      await using opened = await open();
      for (const length of [0, 10, 300_000, 2_500_000]) {
        const from = here.put("from", "abc".repeat(length).slice(0, length));
        chmodSync(from, 0o4751);
        here.put("to", "much longer than all that was there before ".repeat(100_000));
        await opened.files.copy(from, `${here.path}/to`, { recursive: false });
        expect(readFileSync(`${here.path}/to`).equals(readFileSync(from))).toBe(true);
        expect(statSync(`${here.path}/to`).mode & 0o7777).toBe(0o4751);
        rmSync(`${here.path}/to`);
      }
    });

    watched("a watch tells when what was missing is there, once", async () => {
      using here = directory();
      await using opened = await open();
      let told = 0;
      const first = Promise.withResolvers<void>();
      const watch = await opened.files.watchMissing({ missing: [`${here.path}/a/b`], present: null }, () => {
        told++;
        first.resolve();
      });
      expect(watch).not.toBeNull();
      mkdirSync(`${here.path}/a`);
      await first.promise;
      mkdirSync(`${here.path}/a/b`);
      const second = Promise.withResolvers<void>();
      await opened.files.watchMissing({ missing: [`${here.path}/c`], present: null }, second.resolve);
      here.put("c", "");
      await second.promise;
      expect(told).toBe(1);
      expect(await opened.files.watchMissing({ missing: [here.path], present: null }, () => {})).toBeNull();
    });

    watched("watches that overlap are both told, and one that was stopped is not", async () => {
      using here = directory();
      await using opened = await open();
      const told: string[] = [];
      const watch = (name: string) => {
        const change = Promise.withResolvers<void>();
        const paths = { missing: [`${here.path}/${name}`], present: null };
        const set = opened.files.watchMissing(paths, () => {
          told.push(name);
          change.resolve();
        });
        return { set, change: change.promise };
      };
      const [one, stopped, other] = [watch("one"), watch("stopped"), watch("other")];
      (await stopped.set)!.stop();
      expect(await one.set).not.toBeNull();
      expect(await other.set).not.toBeNull();
      here.put("stopped", "");
      here.put("one", "");
      await one.change;
      here.put("other", "");
      await other.change;
      expect(told.sort()).toEqual(["one", "other"]);
    });

    ours("finds its way by links and dots as the system does", async () => {
      using here = directory();
      await using opened = await open();
      mkdirSync(`${here.path}/far/deep`, { recursive: true });
      symlinkSync("far/deep", `${here.path}/link`);
      here.put("beside", "wrong");
      here.put("far/beside", "right");
      expect(await text(await opened.files.readFile(`${here.path}/link/../beside`))).toBe("right");
      const { items } = await collect(opened.files, `${here.path}/link/..`);
      expect(items.map(({ path }) => path)).toEqual(["beside", "deep"]);
    });

    test("walks a tree that is named by dots, and the root of all", async () => {
      using here = directory();
      await using opened = await open();
      here.put("file", "");
      const { items } = await collect(opened.files, `${here.path}/./../${here.path.split("/").at(-1)}/.`);
      expect(items).toEqual([{ path: "file", kind: "file" }]);
      const { items: top } = await collect(opened.files, "/", { maxDepth: 0 });
      expect(top.map(({ path }) => path)).toContain("etc");
    });

    test("answers many at the same time", async () => {
      using here = directory();
      await using opened = await open();
      for (let i = 0; i < 1_500; i++) here.put(`${i}`, `${i}`);
      const read = async (i: number) => await text(await opened.files.readFile(`${here.path}/${i}`));
      const texts = await Promise.all(Array.from({ length: 1_500 }, (_, i) => read(i)));
      expect(texts).toEqual(Array.from({ length: 1_500 }, (_, i) => `${i}`));
    });

    test("reads a file that is larger than a message, and asks before it takes the memory", async () => {
      using here = directory();
      await using opened = await open();
      const file = `${here.path}/large`;
      const size = 70 * 1024 * 1024 + 3;
      const bytes = Buffer.alloc(size, "0123456789abcdef!");
      writeFileSync(file, bytes);
      const asked: number[] = [];
      const mayTake = (taken: number) => void asked.push(taken);
      expect(Buffer.from(await opened.files.readFile(file, { mayTake })).equals(bytes)).toBe(true);
      expect(asked).toEqual([size]);
      truncateSync(file, 512 * 1024 * 1024 + 1);
      expect(await failure(() => opened.files.readFile(file))).toBe(
        "file is too large to read: limit is 536870912 bytes",
      );
    });

    newer("a stream of blocks goes in and comes out, also from the middle", async () => {
      using here = directory();
      await using opened = await open();
      const { files } = opened;
      for (const size of [0, 1, 1024 * 1024, 20_000_000]) {
        const bytes = Buffer.alloc(size, "fedcba9876543210?");
        const pieces = Array.from(
          { length: Math.ceil(size / 3_000_000) },
          (_, i) => bytes.subarray(i * 3_000_000, (i + 1) * 3_000_000),
        );
        const written = await files.open(`${here.path}/file`, "replace");
        expect(await writeBlocks(written, pieces)).toBe(size);
        await written.close();
        expect(readFileSync(`${here.path}/file`).equals(bytes)).toBe(true);
        const read = await files.open(`${here.path}/file`, "read");
        const from = Math.floor(size / 3);
        const blocks = await Array.fromAsync(readBlocks(read, from));
        expect(Buffer.concat(blocks).equals(bytes.subarray(from))).toBe(true);
        await read.close();
      }
    });

    newer("follows no link where it is told so", async () => {
      using here = directory();
      await using opened = await open();
      const { files } = opened;
      here.put("file", "x");
      symlinkSync("file", `${here.path}/link`);
      const followSymlinks = false;
      expect(await failure(() => files.readFile(`${here.path}/link`, { followSymlinks }))).toBe(
        "ELOOP",
      );
      expect(await failure(() => files.writeFile(`${here.path}/link`, Buffer.from("y"), { followSymlinks })))
        .toBe("ELOOP");
      expect(await text(await files.readFile(`${here.path}/file`, { followSymlinks }))).toBe("x");
    });

    older("what an old server would do otherwise without a word is refused", async () => {
      using here = directory();
      await using opened = await open();
      const { files } = opened;
      const kept = here.put("kept", "kept");
      const followSymlinks = false;
      for (
        const doing of [
          () => files.open(kept, "replace"),
          () => files.writeFile(kept, Buffer.from("new"), { followSymlinks }),
          () => files.remove(kept, { recursive: false, force: false, followSymlinks }),
        ]
      ) expect(await failure(doing)).toStartWith("this exec-server cannot ");
      expect(readFileSync(kept, "utf8")).toBe("kept");
      expect(await files.watchMissing({ missing: [`${here.path}/x`], present: null }, () => {})).toBeNull();
    });
  });
}

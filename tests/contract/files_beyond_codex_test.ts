import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { type FileSystem, MAX_DIRECTORY_ENTRIES, type NativePath } from "../../lib/fs/file_system.ts";
import { FsError } from "../../lib/fs/fs_error.ts";
import { Dice } from "../fuzz/dice.ts";
import { seedOf } from "../fuzz/seed.ts";
import { directory, failure } from "../support/file_facts.ts";
import { fileTargets } from "../support/file_targets.ts";

// `files.v1`: what files here and files of a server of ours can alike, and a plain Codex server cannot.

const ours = fileTargets.filter(({ server }) => server === null || server === "ours");
const codex = fileTargets.filter((target) => !ours.includes(target));

const bytesAt = (parent: string, name: NativePath) =>
  Buffer.concat([Buffer.from(`${parent}/`), Buffer.from(name as string)]);

/** Made once: it takes its time. */
const CROWD = MAX_DIRECTORY_ENTRIES + 1;
let crowd: ReturnType<typeof directory>;
beforeAll(() => {
  crowd = directory();
  for (let i = 0; i < CROWD; i++) symlinkSync("nowhere", `${crowd.path}/${i}`);
}, 60_000);
afterAll(() => crowd[Symbol.dispose](), 60_000);

const makePipe = (path: string) => Bun.spawnSync(["mkfifo", path]);

for (const { name, open } of ours) {
  describe(`the ${name} file system, beyond Codex`, () => {
    test("says so", async () => {
      await using opened = await open();
      expect(await opened.files.abilities()).toEqual({ beyondCodex: true });
    });

    test("a file that is renamed takes the place of another, a link is renamed itself", async () => {
      using here = directory();
      await using opened = await open();
      const { files } = opened;
      const from = here.put("from", "new");
      const to = bytesAt(here.path, Buffer.from([0xff, 0x0a]));
      writeFileSync(to, "old");
      await files.rename(from, to);
      expect(readFileSync(to, "utf8")).toBe("new");
      expect(await failure(() => files.rename(from, to))).toBe("ENOENT");
      symlinkSync("nowhere", `${here.path}/link`);
      await files.rename(`${here.path}/link`, `${here.path}/moved`);
      expect(readlinkSync(`${here.path}/moved`)).toBe("nowhere");
      mkdirSync(`${here.path}/directory`);
      expect(await failure(() => files.rename(to, `${here.path}/directory`))).toBe("EISDIR");
    });

    test("sets all twelve bits of a mode, of a link only what it leads to", async () => {
      using here = directory();
      await using opened = await open();
      const { files } = opened;
      const file = here.put("file", "");
      symlinkSync("file", `${here.path}/link`);
      const modeOf = (path: string) => lstatSync(path).mode & 0o7777;
      for (const mode of [0, 0o644, 0o4751, 0o7777]) {
        await files.setMode(file, mode);
        expect(modeOf(file)).toBe(mode);
      }
      await files.setMode(`${here.path}/link`, 0o640);
      expect(modeOf(file)).toBe(0o640);
      const followSymlinks = false;
      await files.setMode(file, 0o600, { followSymlinks });
      expect(modeOf(file)).toBe(0o600);
      expect(await failure(() => files.setMode(`${here.path}/link`, 0o777, { followSymlinks })))
        .toBe("path contains a symbolic link");
      for (const mode of [-1, 0o10000, 1.5]) {
        expect(await failure(() => files.setMode(file, mode))).toBe("file mode must be between 0 and 4095");
      }
      expect(modeOf(file)).toBe(0o600);
    });

    test("sets times to the millisecond", async () => {
      using here = directory();
      await using opened = await open();
      const { files } = opened;
      const file = here.put("file", "");
      const dice = new Dice(seedOf("file times"));
      const some = Array.from({ length: 300 }, () => dice.number(2_000_000_000) * 1000 + dice.number(1000));
      for (const [step, modifiedAtMs] of [0, 1, -1, -86_400_001, ...some].entries()) {
        const accessedAtMs = step % 2 === 0 ? some[step % some.length]! : undefined;
        const before = lstatSync(file, { bigint: true });
        await files.setTimes(
          file,
          accessedAtMs === undefined ? { modifiedAtMs } : { accessedAtMs, modifiedAtMs },
        );
        const after = lstatSync(file, { bigint: true });
        expect(after.mtimeNs).toBe(BigInt(modifiedAtMs) * 1_000_000n);
        expect(after.atimeNs).toBe(
          accessedAtMs === undefined ? before.atimeNs : BigInt(accessedAtMs) * 1_000_000n,
        );
      }
    });

    test("sets the times of a link itself where none is to be followed", async () => {
      using here = directory();
      await using opened = await open();
      const file = here.put("file", "");
      const link = `${here.path}/link`;
      symlinkSync("file", link);
      await opened.files.setTimes(link, { modifiedAtMs: 1_000 });
      await opened.files.setTimes(link, { modifiedAtMs: 2_000 }, { followSymlinks: false });
      expect([lstatSync(file).mtimeMs, lstatSync(link).mtimeMs]).toEqual([1_000, 2_000]);
    });

    test("links keep the bytes of their target, and take nobody's place", async () => {
      using here = directory();
      await using opened = await open();
      const { files } = opened;
      const targets: NativePath[] = [
        "nowhere/at all",
        "/",
        "new\nline",
        "ö",
        Buffer.from([0x2e, 0x2f, 0xff]),
      ];
      for (const [step, target] of targets.entries()) {
        const link = `${here.path}/${step}`;
        await files.createSymlink(link, target);
        expect(readlinkSync(link, { encoding: "buffer" })).toEqual(Buffer.from(target as string));
        const { isSymlink, isFile, more } = await files.getMetadata(link, { itself: true });
        expect({ isSymlink, isFile, target: more?.linkTarget }).toEqual({
          isSymlink: true,
          isFile: false,
          target,
        });
      }
      expect(await failure(() => files.createSymlink(`${here.path}/0`, "other"))).toBe("EEXIST");
      expect(await failure(() => files.createSymlink(`${here.path}/new`, ""))).toBe("ENOENT");
      expect(await failure(() => files.createSymlink(`${here.path}/new`, "a\0b"))).toContain("NUL");
    });

    test("appends at the end, whoever else does", async () => {
      using here = directory();
      await using opened = await open();
      const { files } = opened;
      const file = `${here.path}/file`;
      const lines = Array.from({ length: 200 }, (_, i) => `${i} ${"x".repeat(i)}\n`);
      await Promise.all(lines.map(async (line) => await files.append(file, Buffer.from(line))));
      expect(readFileSync(file, "utf8").split("\n").sort()).toEqual(
        lines.map((l) => l.slice(0, -1)).concat("").sort(),
      );
      const large = Buffer.alloc(3_000_000, "abcdefg");
      writeFileSync(file, "begin");
      await files.append(file, large);
      expect(readFileSync(file).equals(Buffer.concat([Buffer.from("begin"), large]))).toBe(true);
      expect(await failure(() => files.append(here.path, large))).toBe("EISDIR");
      makePipe(`${here.path}/pipe`);
      expect(await failure(() => files.append(`${here.path}/pipe`, large))).toBe("ENXIO");
    });

    test("a file is written on without being emptied, and is read through the same handle", async () => {
      using here = directory();
      await using opened = await open();
      const { files } = opened;
      const path = here.put("file", "0123456789");
      const file = await files.open(path, "update");
      expect(file.size).toBe(10);
      await file.write(8, Buffer.from("end"));
      expect(Buffer.from(await file.read(0, 100)).toString()).toBe("01234567end");
      await file.close();
      const made = await files.open(`${here.path}/new`, "update");
      expect(made.size).toBe(0);
      await made.close();
      const read = await files.open(path, "read");
      expect(read.size).toBe(11);
      await read.close();
      expect(await failure(() => files.open(here.path, "update"))).toBe("EISDIR");
    });

    test("what is open gets its length, mode and times, whatever has its name by then", async () => {
      using here = directory();
      await using opened = await open();
      const { files } = opened;
      const path = here.put("file", "0123456789");
      const file = await files.open(path, "update");
      await files.rename(path, `${here.path}/moved`);
      here.put("file", "another");
      await file.setAttributes({ length: 4 });
      expect(readFileSync(`${here.path}/moved`, "utf8")).toBe("0123");
      await file.setAttributes({ length: 1_000_000, mode: 0o4711, modifiedAtMs: 1_001, accessedAtMs: 2_002 });
      const found = lstatSync(`${here.path}/moved`);
      expect([found.size, found.mode & 0o7777, found.mtimeMs, found.atimeMs]).toEqual(
        [1_000_000, 0o4711, 1_001, 2_002],
      );
      expect(found.blocks).toBeLessThan(100);
      expect(lstatSync(path).mode & 0o7777).toBe(0o644);
      expect(await failure(() => file.setAttributes({ length: 2 ** 53 }))).toBe("EFBIG");
      await file.close();
    });

    test("a private file is new, or certainly ours, or it is refused", async () => {
      using here = directory();
      await using opened = await open();
      const { files } = opened;
      const path = `${here.path}/part`;
      const part = await files.open(path, "update", { private: true });
      await part.write(0, Buffer.from("begun"));
      await part.close();
      expect(lstatSync(path).mode & 0o7777).toBe(0o600);
      const again = await files.open(path, "update", { private: true });
      expect(again.size).toBe(5);
      await again.close();

      const refused = async (place: string) => {
        const before = readFileSync(path, "utf8");
        const opening = (async () => await files.open(place, "update", { private: true }))();
        const error = await opening.catch((error: unknown) => error);
        expect(error).toBeInstanceOf(FsError);
        expect(error).toMatchObject({
          code: "refused",
          message: `path \`${place}\` is not a private file of this user`,
        });
        expect(readFileSync(path, "utf8")).toBe(before);
      };
      chmodSync(path, 0o640);
      await refused(path);
      chmodSync(path, 0o600);
      linkSync(path, `${here.path}/second`);
      await refused(path);
      symlinkSync("part", `${here.path}/link`);
      await refused(`${here.path}/link`);
      symlinkSync("missing", `${here.path}/dangling`);
      await refused(`${here.path}/dangling`);
      mkdirSync(`${here.path}/directory`);
      await refused(`${here.path}/directory`);
      makePipe(`${here.path}/pipe`);
      await refused(`${here.path}/pipe`);
      if (process.geteuid!() === 0) {
        const other = here.put("other", "");
        chmodSync(other, 0o600);
        chownSync(other, 12_345, 12_345);
        await refused(other);
      }
      expect(await failure(() => files.open(`${here.path}/x`, "replace", { private: true }))).toContain(
        "private",
      );
    });

    test("tells mode, names, identity and where a link leads", async () => {
      using here = directory();
      await using opened = await open();
      const { files } = opened;
      const file = here.put("file", "text");
      chmodSync(file, 0o2640);
      linkSync(file, `${here.path}/same`);
      symlinkSync("file", `${here.path}/link`);
      symlinkSync("missing", `${here.path}/dangling`);
      const stats = lstatSync(file);
      const more = {
        mode: 0o2640,
        links: 2,
        identity: `${stats.dev}:${stats.ino}`,
        accessedAtMs: Math.floor(stats.atimeMs),
        changedAtMs: Math.floor(stats.ctimeMs),
        linkTarget: null,
      };
      expect((await files.getMetadata(file)).more).toEqual(more);
      expect((await files.getMetadata(`${here.path}/same`, { followSymlinks: false })).more).toEqual(more);
      expect(await files.getMetadata(`${here.path}/link`)).toMatchObject({
        ...{ isFile: true, isSymlink: true, size: 4 },
        more: { ...more, linkTarget: "file" },
      });
      expect(await files.getMetadata(`${here.path}/link`, { itself: true })).toMatchObject({
        ...{ isFile: false, isDirectory: false, isSymlink: true, size: 4 },
        more: { linkTarget: "file", links: 1, mode: 0o777 },
      });
      expect(await failure(() => files.getMetadata(`${here.path}/dangling`))).toBe("ENOENT");
      expect((await files.getMetadata(`${here.path}/dangling`, { itself: true })).more?.linkTarget).toBe(
        "missing",
      );
    });

    test("lists every entry with its bytes, those that lead nowhere too", async () => {
      using here = directory();
      await using opened = await open();
      const { files } = opened;
      const links: NativePath[] = [Buffer.from([0xfe]), Buffer.from([0xff]), "new\nline", "\u{fffd}"];
      for (const link of links) symlinkSync("missing", bytesAt(here.path, link));
      here.put("file", "");
      mkdirSync(`${here.path}/directory`);
      symlinkSync("file", `${here.path}/to file`);
      symlinkSync("directory", `${here.path}/to directory`);
      makePipe(`${here.path}/pipe`);
      const entry = (name: NativePath, isDirectory: boolean, isFile: boolean, isSymlink: boolean) =>
        [Buffer.from(name as string).toString("hex"), isDirectory, isFile, isSymlink] as const;
      const listed = await files.readDirectory(here.path, { all: true });
      expect(
        listed.map(({ name, isDirectory, isFile, isSymlink }) => entry(name, isDirectory, isFile, isSymlink!))
          .sort(),
      ).toEqual([
        ...links.map((name) => entry(name, false, false, true)),
        entry("file", false, true, false),
        entry("directory", true, false, false),
        entry("to file", false, true, true),
        entry("to directory", true, false, true),
        entry("pipe", false, false, false),
      ].sort());
      expect(await files.readDirectory(`${here.path}/directory`, { all: true })).toEqual([]);
      expect((await files.readDirectory(here.path)).map(({ isSymlink }) => isSymlink)).toEqual(
        Array(5).fill(undefined),
      );
    });

    test("lists with what is known of each, but of links and what cannot be looked at", async () => {
      using here = directory();
      await using opened = await open();
      const { files } = opened;
      here.put("file", "text");
      writeFileSync(bytesAt(here.path, Buffer.from([0xff])), "odd");
      await files.setTimes(`${here.path}/file`, { modifiedAtMs: -1_001, accessedAtMs: 5 });
      mkdirSync(`${here.path}/directory`);
      symlinkSync("file", `${here.path}/link`);
      makePipe(`${here.path}/pipe`);
      const listed = await files.readDirectory(here.path, { all: true, metadata: true });
      expect(listed).toHaveLength(5);
      for (const { name, metadata } of listed) {
        const itself = await files.getMetadata(bytesAt(here.path, name), { itself: true });
        expect([name, metadata]).toEqual([name, name === "link" ? null : itself]);
      }
    });

    test("lists more entries than Codex would", async () => {
      await using opened = await open();
      const listed = await opened.files.readDirectory(crowd.path, { all: true });
      expect(new Set(listed.map(({ name }) => name)).size).toBe(CROWD);
    });
  });
}

for (const { name, open } of codex) {
  describe(`the ${name} file system`, () => {
    test("says what it cannot, and does none of it", async () => {
      using here = directory();
      await using opened = await open();
      const { files } = opened;
      const file = here.put("file", "kept");
      expect(await files.abilities()).toEqual({ beyondCodex: false });
      const doings: ((files: FileSystem) => unknown)[] = [
        (files) => files.rename(file, `${here.path}/moved`),
        (files) => files.setMode(file, 0o777),
        (files) => files.setTimes(file, { modifiedAtMs: 0 }),
        (files) => files.createSymlink(`${here.path}/link`, "file"),
        (files) => files.append(file, Buffer.from("more")),
        (files) => files.open(file, "update"),
        (files) => files.open(`${here.path}/new`, "update", { private: true }),
        (files) => files.open(`${here.path}/new`, "replace", { private: true }),
        (files) => files.getMetadata(file, { itself: true }),
        (files) => files.readDirectory(here.path, { all: true }),
        (files) => files.watch(file, () => {}),
      ];
      for (const doing of doings) {
        const error = await Promise.resolve(doing(files)).catch((error: unknown) => error);
        expect(error).toMatchObject({ name: "FsError", code: "unsupported" });
        expect((error as FsError).message).toStartWith("this exec-server cannot ");
      }
      expect(readFileSync(file, "utf8")).toBe("kept");
      expect((await files.readDirectory(here.path)).length).toBe(1);
      expect((await files.getMetadata(file)).more).toBeNull();
      const read = await files.open(file, "read");
      expect(read.size).toBeNull();
      const cut = await Promise.resolve(read.setAttributes({ length: 0 })).catch((error: unknown) => error);
      expect(cut).toMatchObject({ code: "unsupported" });
      await read.close();
    });
  });
}

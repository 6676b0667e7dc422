import { expect } from "bun:test";
import {
  chmodSync,
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { Peer } from "../support/peer.ts";
import {
  filesDirectory,
  makePipe,
  refusedWith,
  systemRefusal,
  type Walk,
  walk,
  WHOLE_TREE,
} from "../support/peer_files.ts";
import { onEachTarget } from "./on_each_target.ts";

type Entry = { fileName: string; isDirectory: boolean; isFile: boolean };

/** What each item of a walk costs of the 4 MiB that its answer may have. */
const costOf = ({ entries, errors }: Walk) =>
  [...entries.map(({ path }) => path), ...errors.map(({ path, message }) => path + message)]
    .reduce((sum, text) => sum + text.length + 64, 0);

onEachTarget(({ target, test }) => {
  test("fs 31 a listing leaves out what leads nowhere, and tells kinds through links", async () => {
    using here = filesDirectory();
    mkdirSync(`${here.path}/directory`);
    here.put(".file", "x");
    await makePipe(`${here.path}/pipe`);
    symlinkSync("directory", `${here.path}/to directory`);
    symlinkSync("nowhere", `${here.path}/dangling`);
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const { entries } = await peer.call<{ entries: Entry[] }>("fs/readDirectory", { path: here.uri() });
    expect(entries.sort((a, b) => a.fileName < b.fileName ? -1 : 1)).toEqual([
      { fileName: ".file", isDirectory: false, isFile: true },
      { fileName: "directory", isDirectory: true, isFile: false },
      { fileName: "pipe", isDirectory: false, isFile: false },
      { fileName: "to directory", isDirectory: true, isFile: false },
    ]);
    expect(await systemRefusal(peer, "fs/readDirectory", { path: here.uri(".file") })).toEqual(
      [-32603, "(os error 20)"],
    );
  });

  test("fs 37 a walk of the root directory names what is right below it", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const { entries } = await walk(peer, "file:///", { maxEntries: 5, maxDepth: 1 });
    for (const { path } of entries) expect(path).toMatch(/^file:\/\/\/[^/]+$/);
    expect(entries.length).toBeGreaterThan(0);
  });

  test("fs 32 50,000 entries are listed, one more is refused; a walk of them is cut", async () => {
    using here = filesDirectory();
    for (let i = 0; i < 50_000; i++) closeSync(openSync(`${here.path}/${i}`, "w"));
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const params = { path: here.uri() };
    expect((await peer.call<{ entries: Entry[] }>("fs/readDirectory", params)).entries).toHaveLength(50_000);
    here.put("a last one", "");
    expect(await refusedWith(peer, "fs/readDirectory", params)).toEqual({
      code: -32603,
      message: "fs/readDirectory returned 50001 entries; limit is 50000",
    });
    const { entries, errors, truncated } = await walk(peer, here.uri(), { maxEntries: 12 });
    expect({ first: entries[0]?.path, length: entries.length, errors, truncated }).toEqual({
      first: here.uri("0"),
      length: 12,
      errors: [],
      truncated: true,
    });
  });

  test("fs 33 a copy must say whether it is recursive", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const params = { sourcePath: "file:///a", destinationPath: "file:///b" };
    expect(await refusedWith(peer, "fs/copy", params)).toEqual({
      code: -32602,
      message: "missing field `recursive`",
    });
  });

  test("fs 34 a directory is not copied without being asked, nor into itself", async () => {
    using here = filesDirectory();
    mkdirSync(`${here.path}/directory`);
    symlinkSync("directory", `${here.path}/link`);
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const ask = (to: string, recursive: boolean) =>
      refusedWith(peer, "fs/copy", {
        sourcePath: here.uri("directory"),
        destinationPath: here.uri(to),
        recursive,
      });
    expect(await ask("other", false)).toEqual({
      code: -32600,
      message: "fs/copy requires recursive: true when sourcePath is a directory",
    });
    for (const to of ["directory", "directory/not/yet", "link/below", "link"]) {
      expect(await ask(to, true)).toEqual({
        code: -32600,
        message: "fs/copy cannot copy a directory to itself or one of its descendants",
      });
    }
    expect(readdirSync(`${here.path}/directory`)).toEqual([]);
  });

  test("fs 35 a tree is copied into what is there: links as links, modes with the files, no pipes", async () => {
    using here = filesDirectory();
    mkdirSync(`${here.path}/from/deep/er`, { recursive: true });
    mkdirSync(`${here.path}/to/deep`, { recursive: true });
    chmodSync(here.put("from/deep/er/program", "#!"), 0o751);
    here.put("from/both", "new");
    here.put("to/both", "a longer old one");
    here.put("to/deep/kept", "kept");
    symlinkSync("../nowhere", `${here.path}/from/link`);
    await makePipe(`${here.path}/from/pipe`);
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const copy = (source: string, destination: string, recursive = true) => ({
      sourcePath: here.uri(source),
      destinationPath: here.uri(destination),
      recursive,
    });
    await peer.call("fs/copy", copy("from", "to"));
    const text = (name: string) => readFileSync(`${here.path}/to/${name}`, "utf8");
    expect([text("both"), text("deep/kept"), text("deep/er/program")]).toEqual(["new", "kept", "#!"]);
    expect(statSync(`${here.path}/to/deep/er/program`).mode & 0o777).toBe(0o751);
    expect(readlinkSync(`${here.path}/to/link`)).toBe("../nowhere");
    expect(existsSync(`${here.path}/to/pipe`)).toBe(false);
    expect(await refusedWith(peer, "fs/copy", copy("from/pipe", "pipe", false))).toEqual({
      code: -32600,
      message: "fs/copy only supports regular files, directories, and symlinks",
    });
    expect(await systemRefusal(peer, "fs/copy", copy("from", "to"))).toEqual([-32603, "(os error 17)"]); // the link
    await peer.call("fs/copy", copy("from/link", "again", false));
    expect(readlinkSync(`${here.path}/again`)).toBe("../nowhere");
  });

  test("fs 36 a file copied onto itself stays whole", async () => {
    using here = filesDirectory();
    linkSync(here.put("file", "whole"), `${here.path}/same`);
    symlinkSync("file", `${here.path}/link`);
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    for (const name of ["file", "same", "link"]) {
      const params = { sourcePath: here.uri("file"), destinationPath: here.uri(name), recursive: false };
      expect(await peer.call("fs/copy", params)).toEqual({});
      expect(readFileSync(`${here.path}/file`, "utf8")).toBe("whole");
    }
  });

  test("fs 37 a walk goes breadth first, each directory in the order of its bytes", async () => {
    using here = filesDirectory();
    for (const name of ["b/y", "b/x", "B", "a/z/deep", "ä", "a.b", "a b"]) {
      mkdirSync(`${here.path}/${name}`, { recursive: true });
    }
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const { entries, errors, truncated } = await walk(peer, here.uri());
    expect({ errors, truncated }).toEqual({ errors: [], truncated: false });
    expect(entries.map(({ path }) => path.slice(here.uri().length + 1))).toEqual(
      ["B", "a", "a%20b", "a.b", "b", "%C3%A4", "a/z", "b/x", "b/y", "a/z/deep"],
    );
    const shallow = await walk(peer, here.uri(), { maxDepth: 0 });
    expect(shallow.entries).toHaveLength(6);
    expect(shallow.truncated).toBe(false);
  });

  test("fs 37 a root that is no directory is empty, and one that leads nowhere is -32004", async () => {
    using here = filesDirectory();
    here.put("file", "x");
    mkdirSync(`${here.path}/directory`);
    here.put("directory/file", "x");
    symlinkSync("directory", `${here.path}/link`);
    symlinkSync("nowhere", `${here.path}/dangling`);
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const nothing = { entries: [], errors: [], truncated: false };
    expect(await walk(peer, here.uri("file"))).toEqual(nothing);
    expect(await walk(peer, here.uri("link"))).toEqual(nothing);
    expect((await walk(peer, here.uri("link"), { followDirectorySymlinks: true })).entries).toEqual([
      { path: here.uri("link/file"), kind: "file" },
    ]);
    for (const followDirectorySymlinks of [true, false]) {
      const params = { path: here.uri("dangling"), options: { ...WHOLE_TREE, followDirectorySymlinks } };
      expect(await systemRefusal(peer, "fs/walk", params)).toEqual([-32004, "(os error 2)"]);
    }
  });

  test("fs 38 a walk without limits, or beyond the largest, is refused", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const zero = "filesystem walk limits must be greater than zero";
    const beyond = "filesystem walk limits exceed maximums: depth=64, directories=10000, entries=50000";
    const limits: [object, string][] = [
      [{ maxDirectories: 0 }, zero],
      [{ maxEntries: 0 }, zero],
      [{ maxDepth: 65 }, beyond],
      [{ maxDirectories: 10_001 }, beyond],
      [{ maxEntries: 50_001 }, beyond],
    ];
    for (const [more, message] of limits) {
      const params = { path: "file:///tmp", options: { ...WHOLE_TREE, ...more } };
      expect(await refusedWith(peer, "fs/walk", params)).toEqual({ code: -32600, message });
    }
  });

  test("fs 39 a walk says that it was cut by entries, by directories and by the size of its answer", async () => {
    using here = filesDirectory();
    for (const name of ["a/file", "b/file"]) {
      mkdirSync(`${here.path}/${name.slice(0, 1)}`);
      here.put(name, "x");
    }
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const names = ({ entries }: Walk) => entries.map(({ path }) => path.slice(here.uri().length + 1));
    const expectations: [object, string[], boolean][] = [
      [{ maxEntries: 4 }, ["a", "b", "a/file", "b/file"], false],
      [{ maxEntries: 3 }, ["a", "b", "a/file"], true],
      [{ maxDirectories: 3 }, ["a", "b", "a/file", "b/file"], false],
      [{ maxDirectories: 2 }, ["a", "b", "a/file"], true],
      [{ maxDirectories: 1 }, ["a", "b"], true],
    ];
    for (const [limits, expected, truncated] of expectations) {
      const found = await walk(peer, here.uri(), limits);
      expect({ limits, names: names(found), truncated: found.truncated }).toEqual({
        limits,
        names: expected,
        truncated,
      });
    }
    // 250 bytes of a name are 750 in its URI.
    mkdirSync(`${here.path}/wide`);
    for (let i = 0; i < 6_000; i++) {
      closeSync(openSync(`${here.path}/wide/${"#".repeat(246)}${1000 + i}`, "w"));
    }
    const wide = await walk(peer, here.uri("wide"));
    expect(wide.truncated).toBe(true);
    expect(costOf(wide)).toBeLessThanOrEqual(4_194_304);
    expect(costOf(wide)).toBeGreaterThan(4_194_304 - 2_000);
  });

  test("fs 40 a walk that follows links names a circle and does not go round", async () => {
    using here = filesDirectory();
    mkdirSync(`${here.path}/a/b`, { recursive: true });
    here.put("a/file", "x");
    symlinkSync("../..", `${here.path}/a/b/up`);
    symlinkSync("a", `${here.path}/z`);
    symlinkSync("a/file", `${here.path}/to file`);
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const { entries, truncated } = await walk(peer, here.uri(), { followDirectorySymlinks: true });
    expect(entries.map(({ path, kind }) => [path.slice(here.uri().length + 1), kind])).toEqual([
      ["a", "directory"],
      ["z", "directory"],
      ["a/b", "directory"],
      ["a/file", "file"],
      ["a/b/up", "directory"],
    ]);
    expect(truncated).toBe(false);
  });

  test("fs 41 hidden directories are named and not entered", async () => {
    using here = filesDirectory();
    mkdirSync(`${here.path}/.hidden/below`, { recursive: true });
    here.put(".file", "x");
    symlinkSync(".hidden", `${here.path}/seen`);
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const options = { pruneHiddenDirectories: true, followDirectorySymlinks: true };
    const { entries } = await walk(peer, here.uri(), options);
    expect(entries.map(({ path }) => path.slice(here.uri().length + 1))).toEqual(
      [".file", ".hidden", "seen", "seen/below"],
    );
  });
});

import { expect } from "bun:test";
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  truncateSync,
} from "node:fs";
import { Peer } from "../support/peer.ts";
import {
  filesDirectory,
  makePipe,
  readText,
  refusedWith,
  systemRefusal,
  UTF8,
} from "../support/peer_files.ts";
import { onEachTarget } from "./on_each_target.ts";

const MAX_READ = 536_870_912;

onEachTarget(({ target, test }) => {
  test("fs 15 a call before initialize is refused by the name of its family", async () => {
    await using server = await target.serve();
    await using peer = await Peer.connect(server.url);
    expect(await refusedWith(peer, "fs/readFile", { path: "file:///etc" })).toEqual({
      code: -32600,
      message: "client must call initialize before using filesystem methods",
    });
  });

  test("fs 16 only regular files are read, and a pipe does not hold up", async () => {
    using here = filesDirectory();
    await makePipe(`${here.path}/pipe`);
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    for (const path of [here.uri(), here.uri("pipe"), "file:///dev/null"]) {
      const message = `path \`${path.slice("file://".length)}\` is not a file`;
      for (const [method, more] of [["fs/readFile", {}], ["fs/open", { handleId: "h" }]] as const) {
        expect(await refusedWith(peer, method, { path, ...more })).toEqual({ code: -32600, message });
      }
    }
    expect(await readText(peer, "file:///proc/self/comm")).not.toBe("");
  });

  test("fs 17 a file of more than 512 MiB is refused", async () => {
    using here = filesDirectory();
    truncateSync(here.put("large", ""), MAX_READ + 1);
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const refused = {
      code: -32600,
      message: `file is too large to read: limit is ${MAX_READ} bytes`,
    };
    expect(await refusedWith(peer, "fs/readFile", { path: here.uri("large") })).toEqual(refused);
    expect(await refusedWith(peer, "fs/readFile", { path: here.uri("large"), followSymlinks: false }))
      .toEqual(refused);
  });

  test("fs 18 links are followed and stay", async () => {
    using here = filesDirectory();
    here.put("file", "old");
    symlinkSync("file", `${here.path}/link`);
    symlinkSync("made", `${here.path}/dangling`);
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    expect(await readText(peer, here.uri("link"))).toBe("old");
    for (const link of ["link", "dangling"]) {
      await peer.call("fs/writeFile", { path: here.uri(link), dataBase64: UTF8("new") });
    }
    expect(["file", "made"].map((name) => readFileSync(`${here.path}/${name}`, "utf8"))).toEqual([
      "new",
      "new",
    ]);
    expect(readlinkSync(`${here.path}/link`)).toBe("file");
  });

  test("fs 19 without following, a link is refused wherever it stands", async () => {
    using here = filesDirectory();
    mkdirSync(`${here.path}/directory`);
    here.put("directory/file", "x");
    symlinkSync("directory", `${here.path}/way`);
    symlinkSync("directory/file", `${here.path}/link`);
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const followSymlinks = false;
    for (const [method, more] of [["fs/readFile", {}], ["fs/writeFile", { dataBase64: "" }]] as const) {
      const ask = (name: string) =>
        systemRefusal(peer, method, { path: here.uri(name), followSymlinks, ...more });
      expect(await ask("link")).toEqual([-32603, "(os error 40)"]);
      expect(await ask("way/file")).toEqual([-32603, "(os error 20)"]);
    }
    expect(readFileSync(`${here.path}/directory/file`, "utf8")).toBe("x");
    const plain = { path: here.uri("directory/file"), followSymlinks };
    expect(await peer.call("fs/readFile", plain)).toEqual({ dataBase64: UTF8("x") });
    expect(await peer.call("fs/writeFile", { ...plain, dataBase64: UTF8("y") })).toEqual({});
    expect(readFileSync(`${here.path}/directory/file`, "utf8")).toBe("y");
    const made = { path: here.uri("directory/a/b"), followSymlinks };
    expect(await peer.call("fs/createDirectory", made)).toEqual({});
    expect(await systemRefusal(peer, "fs/createDirectory", { path: here.uri("way/c"), followSymlinks }))
      .toEqual(
        [-32603, "(os error 20)"],
      );
  });

  test("fs 20 followSymlinks may be null", async () => {
    using here = filesDirectory();
    here.put("file", "x");
    symlinkSync("file", `${here.path}/link`);
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const followed = { path: here.uri("link"), followSymlinks: null, sandbox: null };
    expect(await peer.call("fs/readFile", followed)).toEqual({ dataBase64: UTF8("x") });
    expect(await peer.call("fs/getMetadata", followed)).toMatchObject({ isSymlink: true, isFile: true });
  });

  test("fs 21 without following, a link has no metadata and is not removed", async () => {
    using here = filesDirectory();
    symlinkSync("nowhere", `${here.path}/link`);
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const refused = { code: -32600, message: "path contains a symbolic link" };
    const params = { path: here.uri("link"), followSymlinks: false };
    expect(await refusedWith(peer, "fs/getMetadata", params)).toEqual(refused);
    expect(await refusedWith(peer, "fs/remove", { ...params, recursive: false })).toEqual(refused);
    expect(lstatSync(`${here.path}/link`).isSymbolicLink()).toBe(true);
  });

  test("fs 22 a removal that is recursive and follows nothing is refused", async () => {
    using here = filesDirectory();
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    expect(await refusedWith(peer, "fs/remove", { path: here.uri("x"), followSymlinks: false })).toEqual({
      code: -32603,
      message: "recursive no-follow removal is unsupported",
    });
  });

  test("fs 23 a file is overwritten in place: mode, inode and hard links stay, and no old byte does", async () => {
    using here = filesDirectory();
    const file = here.put("file", "a long old content");
    chmodSync(file, 0o640);
    linkSync(file, `${here.path}/other`);
    const before = statSync(file);
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    for (const text of ["short", "", "something that is longer than all that was there before"]) {
      await peer.call("fs/writeFile", { path: here.uri("file"), dataBase64: UTF8(text) });
      expect(readFileSync(`${here.path}/other`, "utf8")).toBe(text);
    }
    const { mode, ino, nlink } = statSync(file);
    expect({ mode, ino, nlink }).toEqual({ mode: before.mode, ino: before.ino, nlink: 2 });
  });

  test("fs 23 megabytes are written and read as they are", async () => {
    using here = filesDirectory();
    const bytes = Buffer.alloc(3 * 1024 * 1024 + 1, "0123456789abcdef!");
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    for (const length of [bytes.length, 1_000_000, bytes.length]) {
      const dataBase64 = bytes.subarray(0, length).toString("base64");
      await peer.call("fs/writeFile", { path: here.uri("file"), dataBase64 });
      expect(readFileSync(`${here.path}/file`).equals(bytes.subarray(0, length))).toBe(true);
      expect(await peer.call("fs/readFile", { path: here.uri("file") })).toEqual({ dataBase64 });
    }
  });

  test("fs 24 only strict base64 is written", async () => {
    using here = filesDirectory();
    here.put("file", "kept");
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const prefix = "fs/writeFile requires valid base64 dataBase64: ";
    const details: [string, string][] = [
      ["eHg\n", "Invalid symbol 10, offset 3."],
      ["eHg", "Invalid padding"],
      ["-_8=", "Invalid symbol 45, offset 0."],
      ["eHl=", "Invalid last symbol 108, offset 2."],
    ];
    for (const [dataBase64, detail] of details) {
      expect(await refusedWith(peer, "fs/writeFile", { path: here.uri("file"), dataBase64 })).toEqual({
        code: -32600,
        message: prefix + detail,
      });
    }
    expect(readFileSync(`${here.path}/file`, "utf8")).toBe("kept");
  });

  test("fs 25 a file in a missing directory is -32004", async () => {
    using here = filesDirectory();
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const params = { path: here.uri("no/file"), dataBase64: "" };
    expect(await systemRefusal(peer, "fs/writeFile", params)).toEqual([-32004, "(os error 2)"]);
  });

  test("fs 26 what is recursive or forced by default is so for null too", async () => {
    using here = filesDirectory();
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    for (const more of [{}, { recursive: null, force: null }]) {
      await peer.call("fs/createDirectory", { path: here.uri("a/b/c"), ...more });
      await peer.call("fs/createDirectory", { path: here.uri("a/b/c"), ...more });
      here.put("a/b/file", "x");
      await peer.call("fs/remove", { path: here.uri("a"), ...more });
      expect(existsSync(`${here.path}/a`)).toBe(false);
      expect(await peer.call("fs/remove", { path: here.uri("a"), ...more })).toEqual({});
    }
  });

  test("fs 27 a directory is not made where a file is", async () => {
    using here = filesDirectory();
    here.put("file", "x");
    symlinkSync("nowhere", `${here.path}/dangling`);
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    for (const recursive of [true, false]) {
      for (const name of ["file", "dangling"]) {
        expect(await systemRefusal(peer, "fs/createDirectory", { path: here.uri(name), recursive })).toEqual(
          [-32603, "(os error 17)"],
        );
      }
    }
    expect(await systemRefusal(peer, "fs/createDirectory", { path: here.uri("file/x") })).toEqual(
      [-32603, "(os error 20)"],
    );
  });

  test("fs 28 what is missing is removed only by force, and a file on the way is no missing directory", async () => {
    using here = filesDirectory();
    here.put("file", "x");
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const missing = { path: here.uri("missing"), force: false };
    expect(await systemRefusal(peer, "fs/remove", missing)).toEqual([-32004, "(os error 2)"]);
    expect(await peer.call("fs/remove", { ...missing, force: true })).toEqual({});
    expect(await systemRefusal(peer, "fs/remove", { path: here.uri("file/x") })).toEqual([
      -32603,
      "(os error 20)",
    ]);
  });

  test("fs 29 a link is removed and what it leads to stays", async () => {
    using here = filesDirectory();
    mkdirSync(`${here.path}/directory`);
    here.put("directory/file", "x");
    mkdirSync(`${here.path}/tree`);
    symlinkSync("../directory", `${here.path}/tree/link`);
    symlinkSync("directory", `${here.path}/link`);
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    for (const name of ["link", "tree"]) await peer.call("fs/remove", { path: here.uri(name) });
    expect([existsSync(`${here.path}/link`), existsSync(`${here.path}/tree`)]).toEqual([false, false]);
    expect(readFileSync(`${here.path}/directory/file`, "utf8")).toBe("x");
    const full = { path: here.uri("directory"), recursive: false };
    expect(await systemRefusal(peer, "fs/remove", full)).toEqual([-32603, "(os error 39)"]);
  });

  test("fs 30 metadata are those of what a link leads to", async () => {
    using here = filesDirectory();
    here.put("file", "12345");
    symlinkSync("file", `${here.path}/link`);
    symlinkSync("nowhere", `${here.path}/dangling`);
    symlinkSync("loop", `${here.path}/loop`);
    await makePipe(`${here.path}/pipe`);
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const ask = (name: string) =>
      peer.call<{ modifiedAtMs: number; createdAtMs: number }>("fs/getMetadata", { path: here.uri(name) });
    const file = { isDirectory: false, isFile: true, isSymlink: false, size: 5 };
    expect(await ask("file")).toMatchObject(file);
    expect(await ask("link")).toMatchObject({ ...file, isSymlink: true });
    expect(await ask("pipe")).toMatchObject({ isDirectory: false, isFile: false, isSymlink: false });
    const { modifiedAtMs, createdAtMs } = await ask("file");
    expect(modifiedAtMs).toBe(Math.floor(statSync(`${here.path}/file`).mtimeMs));
    expect(Number.isInteger(createdAtMs)).toBe(true);
    for (
      const [name, refusal] of [["dangling", [-32004, "(os error 2)"]], ["loop", [
        -32603,
        "(os error 40)",
      ]]] as const
    ) {
      expect(await systemRefusal(peer, "fs/getMetadata", { path: here.uri(name) })).toEqual([...refusal]);
    }
  });

  test("fs 80 what restricts no file is no sandbox", async () => {
    using here = filesDirectory();
    here.put("file", "x");
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    for (
      const permissions of [
        { type: "disabled" },
        { type: "external", network: "enabled" },
        { type: "managed", file_system: { type: "unrestricted" }, network: "restricted" },
      ]
    ) {
      const sandbox = { permissions, windowsSandboxLevel: "disabled" };
      expect(await peer.call("fs/readFile", { path: here.uri("file"), sandbox })).toEqual({
        dataBase64: UTF8("x"),
      });
    }
    const code = (await refusedWith(peer, "fs/readFile", { path: here.uri("file"), sandbox: {} })).code;
    expect(code).toBe(-32602);
  });

  test("fs 81 what a sandbox does not allow is not done, whether it is enforced or refused", async () => {
    using here = filesDirectory();
    here.put("file", "kept");
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const sandbox = {
      permissions: {
        type: "managed",
        file_system: {
          type: "restricted",
          entries: [{ path: { type: "special", value: { kind: "root" } }, access: "read" }],
        },
        network: "restricted",
      },
      cwd: here.uri(),
      workspaceRoots: [here.uri()],
      windowsSandboxLevel: "disabled",
    };
    const [path, made] = [here.uri("file"), here.uri("made")];
    const calls: [string, object][] = [
      ["fs/writeFile", { path, dataBase64: UTF8("new") }],
      ["fs/open", { handleId: "h", path, mode: "replace" }],
      ["fs/createDirectory", { path: made }],
      ["fs/copy", { sourcePath: path, destinationPath: made, recursive: false }],
      ["fs/remove", { path }],
    ];
    for (const [method, params] of calls) {
      expect((await refusedWith(peer, method, { ...params, sandbox })).code).toBeLessThan(-32_000);
    }
    expect(readFileSync(`${here.path}/file`, "utf8")).toBe("kept");
    expect(existsSync(`${here.path}/made`)).toBe(false);
  });
});

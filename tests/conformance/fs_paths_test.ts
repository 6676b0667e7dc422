import { expect } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { Peer } from "../support/peer.ts";
import { filesDirectory, readText, refusedWith, systemRefusal, UTF8, walk } from "../support/peer_files.ts";
import { onEachTarget } from "./on_each_target.ts";

const INVALID_PARAMS = -32602;
const INVALID_REQUEST = -32600;

onEachTarget(({ target, test }) => {
  const texts: [string, number, string, string][] = [
    [
      "fs 1 a native path is refused",
      INVALID_PARAMS,
      "/etc/hosts",
      "invalid URI: relative URL without a base",
    ],
    ["fs 2 another scheme is refused", INVALID_PARAMS, "http://x/y", "unsupported path URI scheme `http`"],
    [
      "fs 3 an empty query is refused",
      INVALID_PARAMS,
      "file:///a?",
      "query parameters are not allowed in path URIs",
    ],
    [
      "fs 3 an empty fragment is refused",
      INVALID_PARAMS,
      "file:///a#",
      "fragments are not allowed in path URIs",
    ],
    ["fs 4 a NUL is refused", INVALID_PARAMS, "file:///tmp/%00", "'file:///tmp/%00' is invalid on 'linux'"],
    [
      "fs 6 a Windows path is refused",
      INVALID_REQUEST,
      "file:///C:/x",
      "'file:///C:/x' is invalid on 'linux'",
    ],
    [
      "fs 7 a drive letter is made large",
      INVALID_REQUEST,
      "file:///c:/x",
      "'file:///C:/x' is invalid on 'linux'",
    ],
    [
      "fs 13 a broken reserved form is refused when it is read",
      INVALID_PARAMS,
      "file:///%00/bad/path/YQ==",
      "'file:///%00/bad/path/YQ==' is invalid on 'linux'",
    ],
    [
      "fs 13 a relative path in the reserved form is refused when it is used",
      INVALID_REQUEST,
      "file:///%00/bad/path/YQ",
      "'file:///%00/bad/path/YQ' is invalid on 'linux'",
    ],
  ];
  for (const [name, code, path, message] of texts) {
    test(name, async () => {
      await using server = await target.serve();
      await using peer = await Peer.ready(server.url);
      for (
        const method of ["fs/readFile", "fs/getMetadata", "fs/canonicalize", "fs/remove", "fs/readDirectory"]
      ) {
        expect({ method, ...await refusedWith(peer, method, { path }) }).toEqual({ method, code, message });
      }
    });
  }

  test("fs 5 every spelling of a local URI is one path", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    for (
      const path of ["file:/etc", "FILE:///etc", "file://localhost/etc", "file:///etc/", "file:///usr/../etc"]
    ) {
      expect(await peer.call("fs/canonicalize", { path })).toEqual({ path: "file:///etc" });
    }
  });

  test("fs 9 leading slashes are one, and those within a path stay in what is echoed", async () => {
    using here = filesDirectory();
    mkdirSync(`${here.path}/a`);
    here.put("a/b", "x");
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    expect(await readText(peer, `file:///${here.path}/a//b`)).toBe("x");
    const { entries } = await walk(peer, `${here.uri()}//a`);
    expect(entries.map(({ path }) => path)).toEqual([`${here.uri()}//a/b`]);
  });

  test("fs 10 an encoded slash is a slash on disk and stays encoded in what is echoed", async () => {
    using here = filesDirectory();
    mkdirSync(`${here.path}/d`);
    here.put("d/a", "deep");
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    expect(await readText(peer, here.uri("d%2Fa"))).toBe("deep");
    const parent = here.uri().replace(/\/([^/]*)$/, "%2f$1");
    expect((await walk(peer, parent, { maxDepth: 0 })).entries).toEqual([
      { path: `${parent}/d`, kind: "directory" },
    ]);
  });

  test("fs 11 a name that is no UTF-8 is the same on the way in and out", async () => {
    using here = filesDirectory();
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    await peer.call("fs/writeFile", { path: here.uri("nu-%ff"), dataBase64: UTF8("odd") });
    expect(readFileSync(Buffer.concat([Buffer.from(`${here.path}/nu-`), Buffer.from([0xff])]), "utf8")).toBe(
      "odd",
    );
    expect(await peer.call("fs/canonicalize", { path: here.uri("nu-%ff") })).toEqual({
      path: here.uri("nu-%FF"),
    });
    await peer.call("fs/remove", { path: here.uri("nu-%ff") });
    expect(existsSync(Buffer.concat([Buffer.from(`${here.path}/nu-`), Buffer.from([0xff])]))).toBe(false);
  });

  test("fs 12 exactly these characters of ASCII are encoded", async () => {
    using here = filesDirectory();
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    for (let byte = 1; byte < 128; byte++) {
      const character = String.fromCharCode(byte);
      if (character === "/" || character === ".") continue;
      writeFileSync(`${here.path}/x${character}`, "");
      const encoded = `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
      const { path } = await peer.call<{ path: string }>("fs/canonicalize", {
        path: here.uri(`x${encoded}`),
      });
      const isRaw = /[!$&'()*+,\-0-9:;=@A-Z[\]^_a-z|~]/.test(character);
      expect(path).toBe(here.uri(`x${isRaw ? character : encoded}`));
    }
  });

  test("fs 13 a NUL in the reserved form is refused by the system's rules", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const path = `file:///%00/bad/path/${Buffer.from("/tmp/\0x").toString("base64url")}`;
    expect(await refusedWith(peer, "fs/getMetadata", { path })).toEqual({
      code: INVALID_REQUEST,
      message: "file name contained an unexpected NUL byte",
    });
  });

  test("fs 14 a walk names what has odd names", async () => {
    using here = filesDirectory();
    const names = ["a\tb", "a\nb", "-dash", "per%41cent", "que?ry", "ha#sh", "ö", "x".repeat(255)];
    for (const name of names) here.put(name, "");
    writeFileSync(Buffer.concat([Buffer.from(`${here.path}/`), Buffer.from([0x80, 0xff])]), "");
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const { entries, errors } = await walk(peer, here.uri());
    expect(errors).toEqual([]);
    expect(entries.map(({ path }) => path.slice(here.uri().length + 1)).sort()).toEqual(
      ["a%09b", "a%0Ab", "-dash", "per%2541cent", "que%3Fry", "ha%23sh", "%C3%B6", "x".repeat(255), "%80%FF"]
        .sort(),
    );
    for (const { path } of entries) expect(await readText(peer, path)).toBe("");
  });

  test("fs 15 what is not there is -32004 for every method that needs it", async () => {
    using here = filesDirectory();
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const path = here.uri("nobody/here");
    const calls: [string, object][] = [
      ["fs/readFile", { path }],
      ["fs/writeFile", { path, dataBase64: "" }],
      ["fs/open", { handleId: "h", path }],
      ["fs/open", { handleId: "h", path, mode: "replace" }],
      ["fs/createDirectory", { path, recursive: false }],
      ["fs/getMetadata", { path }],
      ["fs/canonicalize", { path }],
      ["fs/readDirectory", { path }],
      ["fs/remove", { path, force: false }],
      ["fs/copy", { sourcePath: path, destinationPath: here.uri("x"), recursive: true }],
    ];
    for (const [method, params] of calls) {
      expect({ method, refusal: await systemRefusal(peer, method, params) }).toEqual({
        method,
        refusal: [-32004, "(os error 2)"],
      });
    }
    await expect(walk(peer, path)).rejects.toThrow("-32004");
  });

  test("fs 88 what no codex serves is -32601", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    for (const name of ["watch", "unwatch", "rename", "stat", "readText", "symlink", "chmod"]) {
      expect(await refusedWith(peer, `fs/${name}`, {})).toEqual({
        code: -32601,
        message: `exec-server stub does not implement \`fs/${name}\` yet`,
      });
    }
  });
});

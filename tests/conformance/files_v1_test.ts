import { describe, expect, test } from "bun:test";
import { lstatSync, mkdirSync, readFileSync, readlinkSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { MAX_CHANGED_NAMES } from "../../lib/fs/file_system.ts";
import { MAX_WATCHES } from "../../lib/wire/files_v1_messages.ts";
import { extended } from "../support/extended_peer.ts";
import { Peer } from "../support/peer.ts";
import { filesDirectory, refusedWith, systemRefusal, UTF8 } from "../support/peer_files.ts";
import { oursTarget } from "../support/target_ours.ts";

// `files.v1` on the wire. What it does to files is in the contract tests.

const serve = () => oursTarget().serve();

async function agreed(url: string): Promise<Peer> {
  return (await extended(url, ["files.v1"])).peer;
}

type Changed = { watchId: number; names: string[]; overflow: boolean; ended: boolean };

const changes = (peer: Peer): Changed[] =>
  peer.messages.filter(({ method }) => method === "fs/changed").map(({ params }) => params as Changed);

describe("files.v1", () => {
  test("a peer that did not agree on it sees and can use nothing of it", async () => {
    using here = filesDirectory();
    here.put("file", "text");
    symlinkSync("file", `${here.path}/link`);
    await using server = await serve();
    for (
      const connect of [
        () => Peer.ready(server.url),
        async () => (await extended(server.url, ["flow.v1"])).peer,
      ]
    ) {
      await using peer = await connect();
      for (
        const name of [
          "rename",
          "chmod",
          "utimes",
          "symlink",
          "append",
          "setAttributes",
          "list",
          "watch",
          "unwatch",
        ]
      ) {
        expect((await refusedWith(peer, `fs/${name}`, {})).code).toBe(-32601);
      }
      const path = here.uri("link");
      const plain = ["createdAtMs", "isDirectory", "isFile", "isSymlink", "modifiedAtMs", "size"];
      const metadata = await peer.call<{ isFile: boolean }>("fs/getMetadata", { path, itself: true });
      expect(Object.keys(metadata).sort()).toEqual(plain);
      expect(metadata.isFile).toBe(true);
      expect(await peer.call<object>("fs/open", { handleId: "h", path, private: true })).toEqual({
        handleId: "h",
      });
      expect(await refusedWith(peer, "fs/open", { handleId: "u", path, mode: "update" })).toEqual({
        code: -32602,
        message: "unknown variant `update`, expected `read` or `replace`",
      });
      const { entries } = await peer.call<{ entries: object[] }>("fs/readDirectory", { path: here.uri() });
      for (const entry of entries) {
        expect(Object.keys(entry).sort()).toEqual(["fileName", "isDirectory", "isFile"]);
      }
    }
  });

  test("the members of every answer", async () => {
    using here = filesDirectory();
    here.put("file", "text");
    await using server = await serve();
    await using peer = await agreed(server.url);
    const path = here.uri("file");
    const { size, more } = await peer.call<{ size: number; more: object }>("fs/getMetadata", { path });
    const { dev, ino, mode, atimeMs, ctimeMs } = lstatSync(`${here.path}/file`);
    expect([size, more]).toEqual([4, {
      ...{ mode: mode & 0o7777, links: 1, identity: `${dev}:${ino}` },
      ...{ accessedAtMs: Math.floor(atimeMs), changedAtMs: Math.floor(ctimeMs) },
      linkTargetBase64: null,
    }]);
    const opened = await peer.call<object>("fs/open", { handleId: "h", path, mode: "update" });
    expect(opened).toEqual({ handleId: "h", size: 4 });
    const done: [string, object][] = [
      ["fs/setAttributes", { handleId: "h", length: 2, mode: 0o600, modifiedAtMs: 5 }],
      ["fs/close", { handleId: "h" }],
      ["fs/append", { path, dataBase64: UTF8("!") }],
      ["fs/chmod", { path, mode: 0o644 }],
      ["fs/utimes", { path, modifiedAtMs: -1, followSymlinks: null }],
      ["fs/symlink", { path: here.uri("link"), targetBase64: UTF8("file") }],
      ["fs/rename", { sourcePath: path, destinationPath: here.uri("moved") }],
      ["fs/unwatch", { watchId: 1 }],
    ];
    for (const [method, params] of done) expect(await peer.call<object>(method, params)).toEqual({});
    expect(readFileSync(`${here.path}/moved`, "utf8")).toBe("te!");
    expect(lstatSync(`${here.path}/moved`).mtimeMs).toBe(-1);
    expect(readlinkSync(`${here.path}/link`)).toBe("file");
    const { more: link } = await peer.call<{ more: object }>("fs/getMetadata", {
      ...{ path: here.uri("link"), itself: true },
    });
    expect(link).toMatchObject({ linkTargetBase64: UTF8("file") });
    const { listingBase64 } = await peer.call<{ listingBase64: string }>("fs/list", { path: here.uri() });
    const listing = Buffer.from(listingBase64, "base64").toString();
    expect(listing.split("\0").sort()).toEqual(["", "Olink", "fmoved"]);
    const known = await peer.call<{ listingBase64: string }>("fs/list", { path: here.uri(), metadata: true });
    const parts = Buffer.from(known.listingBase64, "base64").toString().split("\0");
    expect(parts.slice(parts.indexOf("Olink")).slice(0, 2)).toEqual(["Olink", ""]);
    expect(parts[parts.indexOf("fmoved") + 1]).toMatch(/^3 \d+ -1 420 1 \d+ \d+ \d+:\d+$/);
    expect(parts).toHaveLength(5);
  });

  test("what makes no sense is refused, and what is not there is told as such", async () => {
    using here = filesDirectory();
    here.put("file", "");
    await using server = await serve();
    await using peer = await agreed(server.url);
    const path = here.uri("file");
    const refusals: [string, object][] = [
      ["fs/chmod", { path, mode: 0o10000 }],
      ["fs/chmod", { path, mode: -1 }],
      ["fs/chmod", { path, mode: null }],
      ["fs/utimes", { path }],
      ["fs/utimes", { path, modifiedAtMs: 1.5 }],
      ["fs/symlink", { path: here.uri("link"), targetBase64: "?" }],
      ["fs/append", { path, dataBase64: "YQ" }],
      ["fs/setAttributes", { handleId: "h", mode: 0o10000 }],
      ["fs/watch", { watchId: -1, path }],
      ["fs/rename", { sourcePath: path }],
    ];
    for (const [method, params] of refusals) {
      expect([method, (await refusedWith(peer, method, params)).code]).toEqual([method, -32602]);
    }
    const missing = here.uri("missing/x");
    const calls: [string, object][] = [
      ["fs/chmod", { path: missing, mode: 0 }],
      ["fs/utimes", { path: missing, modifiedAtMs: 0 }],
      ["fs/symlink", { path: missing, targetBase64: UTF8("x") }],
      ["fs/append", { path: missing, dataBase64: "" }],
      ["fs/rename", { sourcePath: missing, destinationPath: path }],
      ["fs/list", { path: missing }],
      ["fs/watch", { watchId: 1, path: missing }],
      ["fs/setAttributes", { handleId: "unknown", length: 0 }],
    ];
    for (const [method, params] of calls) {
      expect([method, (await refusedWith(peer, method, params)).code]).toEqual([method, -32004]);
    }
    expect(await systemRefusal(peer, "fs/symlink", { path, targetBase64: UTF8("x") }))
      .toEqual([-32603, "(os error 17)"]);
    await peer.call("fs/open", { handleId: "r", path, mode: "read" });
    expect(await systemRefusal(peer, "fs/setAttributes", { handleId: "r", length: 0 }))
      .toEqual([-32600, "(os error 22)"]);
  });

  test("whatever takes a path refuses a sandbox that cannot be enforced, and does nothing", async () => {
    using here = filesDirectory();
    const file = here.put("file", "kept");
    await using server = await serve();
    await using peer = await agreed(server.url);
    const path = here.uri("file");
    const sandbox = { permissions: { type: "no such type" } };
    const calls: [string, object][] = [
      ["fs/rename", { sourcePath: path, destinationPath: here.uri("moved") }],
      ["fs/chmod", { path, mode: 0 }],
      ["fs/utimes", { path, modifiedAtMs: 0 }],
      ["fs/symlink", { path: here.uri("link"), targetBase64: UTF8("x") }],
      ["fs/append", { path, dataBase64: UTF8("x") }],
      ["fs/open", { handleId: "h", path, mode: "update" }],
      ["fs/list", { path: here.uri() }],
      ["fs/watch", { watchId: 1, path }],
    ];
    const before = lstatSync(file);
    for (const [method, params] of calls) {
      expect([method, (await refusedWith(peer, method, { ...params, sandbox })).code]).toEqual([
        method,
        -32602,
      ]);
    }
    const after = lstatSync(file);
    expect([after.mode, after.mtimeMs, after.size]).toEqual([before.mode, before.mtimeMs, before.size]);
    const { listingBase64 } = await peer.call<{ listingBase64: string }>("fs/list", { path: here.uri() });
    expect(Buffer.from(listingBase64, "base64").toString()).toBe("ffile\0");
  });

  test("calls that are not waited for come out as if they had been", async () => {
    using here = filesDirectory();
    await using server = await serve();
    await using peer = await agreed(server.url);
    const path = here.uri("file");
    const calls: Promise<unknown>[] = [];
    const large = Buffer.alloc(1_000_000, "x").toString("base64");
    calls.push(peer.call("fs/writeFile", { path, dataBase64: large }));
    for (let i = 0; i < 5; i++) calls.push(peer.call("fs/append", { path, dataBase64: large }));
    calls.push(peer.call("fs/chmod", { path, mode: 0o600 }));
    calls.push(peer.call("fs/rename", { sourcePath: path, destinationPath: here.uri("moved") }));
    calls.push(peer.call("fs/open", { handleId: "h", path: here.uri("moved"), mode: "update" }));
    calls.push(peer.call("fs/writeBlock", { handleId: "h", offset: 0, chunk: UTF8("begin") }));
    calls.push(peer.call("fs/setAttributes", { handleId: "h", length: 5 }));
    expect((await Promise.all(calls)).at(8)).toEqual({ handleId: "h", size: 6_000_000 });
    expect(readFileSync(`${here.path}/moved`, "utf8")).toBe("begin");
  });

  test("a change is told after the answer, with names as they are encoded in URIs, until it is not wanted", async () => {
    using here = filesDirectory();
    mkdirSync(`${here.path}/a`);
    await using server = await serve();
    await using peer = await agreed(server.url);
    expect(await peer.call<object>("fs/watch", { watchId: 7, path: here.uri("a") })).toEqual({
      watching: true,
    });
    expect(await peer.call<object>("fs/watch", { watchId: 3, path: here.uri() })).toEqual({ watching: true });
    const again = await refusedWith(peer, "fs/watch", { watchId: 7, path: here.uri() });
    expect(again).toEqual({ code: -32600, message: "file watch 7 already exists" });
    here.put("a/100% ö", "");
    await peer.waitUntil(() => changes(peer).length > 0, "a change");
    expect(changes(peer)[0]).toEqual({
      watchId: 7,
      names: ["100%25%20%C3%B6"],
      overflow: false,
      ended: false,
    });
    renameSync(`${here.path}/a`, `${here.path}/b`);
    await peer.waitUntil(() => changes(peer).some(({ ended }) => ended), "its end");
    expect(changes(peer).filter(({ watchId }) => watchId === 7).at(-1)).toMatchObject({
      names: [],
      ended: true,
    });
    // Its number may be used again.
    expect(await peer.call<object>("fs/watch", { watchId: 7, path: here.uri("b") })).toEqual({
      watching: true,
    });
    await peer.call("fs/unwatch", { watchId: 3 });
    const count = changes(peer).filter(({ watchId }) => watchId === 3).length;
    rmSync(`${here.path}/b`, { recursive: true });
    await peer.waitUntil(
      () => changes(peer).filter(({ ended }) => ended).length === 2,
      "the end of the other",
    );
    expect(changes(peer).filter(({ watchId }) => watchId === 3).length).toBe(count);
  });

  test("there are so many watches, one that is not wanted any more makes room, and none outlives its connection", async () => {
    using here = filesDirectory();
    await using server = await serve();
    const { peer, result } = await extended(server.url, ["files.v1"]);
    for (let watchId = 0; watchId < MAX_WATCHES; watchId++) {
      await peer.call("fs/watch", { watchId, path: here.uri() });
    }
    const another = { watchId: MAX_WATCHES, path: here.uri() };
    expect(await refusedWith(peer, "fs/watch", another)).toEqual({
      code: -32600,
      message: `at most ${MAX_WATCHES} file watches may be set per connection`,
    });
    await peer.call("fs/unwatch", { watchId: 5 });
    expect(await peer.call<object>("fs/watch", another)).toEqual({ watching: true });
    await peer.hangUp();
    const { peer: next } = await extended(server.url, ["files.v1"], result["sessionId"] as string);
    await using _ = next;
    expect(await next.call<object>("fs/watch", { watchId: 0, path: here.uri() })).toEqual({ watching: true });
    here.put("file", "");
    await next.waitUntil(() => changes(next).length > 0, "a change");
    expect(new Set(changes(next).map(({ watchId }) => watchId))).toEqual(new Set([0]));
  });

  test("a storm is a few notifications with so many names at most", async () => {
    using here = filesDirectory();
    await using server = await serve();
    await using peer = await agreed(server.url);
    await peer.call("fs/watch", { watchId: 1, path: here.uri() });
    for (let i = 0; i < 2_000; i++) here.put(`${i}`, "");
    await peer.waitUntil(() => changes(peer).some(({ overflow }) => overflow), "an overflow");
    for (const { names } of changes(peer)) expect(names.length).toBeLessThanOrEqual(MAX_CHANGED_NAMES);
    expect(changes(peer).length).toBeLessThan(20);
  });
});

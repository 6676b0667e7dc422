import { describe, expect, test } from "bun:test";
import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { extended } from "../support/extended_peer.ts";
import { filesDirectory, systemRefusal, UTF8 } from "../support/peer_files.ts";
import { context, type Json, managed, path, READ_ONLY, workspaceWrite } from "../support/sandbox_context.ts";
import { oursTarget } from "../support/target_ours.ts";

const READ_ONLY_FILE_SYSTEM: [number, string] = [-32603, "(os error 30)"];

async function open() {
  const stack = new AsyncDisposableStack();
  const server = stack.use(await oursTarget().serve());
  const { peer } = await extended(server.url, ["files.v1"]);
  stack.use(peer);
  return { peer, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** All that changes something, of a file of that name and of new ones beside it. */
function changes(uri: (name: string) => string): [string, Json][] {
  return [
    ["fs/append", { path: uri("file"), dataBase64: UTF8("new") }],
    ["fs/chmod", { path: uri("file"), mode: 0o640 }],
    ["fs/utimes", { path: uri("file"), modifiedAtMs: 1_000 }],
    ["fs/symlink", { path: uri("link"), targetBase64: UTF8("file") }],
    ["fs/rename", { sourcePath: uri("file"), destinationPath: uri("renamed") }],
  ];
}

describe("files.v1 in a sandbox", () => {
  test("changes what may be changed, and nothing else", async () => {
    using here = filesDirectory();
    using outside = filesDirectory();
    for (const directory of [here, outside]) directory.put("file", "old ");
    await using opened = await open();
    const { peer } = opened;
    const sandbox = workspaceWrite(here.path);
    const before = statSync(`${outside.path}/file`);
    for (const [method, params] of changes((name) => outside.uri(name))) {
      expect([method, await systemRefusal(peer, method, { ...params, sandbox })]).toEqual([
        method,
        READ_ONLY_FILE_SYSTEM,
      ]);
    }
    expect(readdirSync(outside.path)).toEqual(["file"]);
    expect(readFileSync(`${outside.path}/file`, "utf8")).toBe("old ");
    const { mode, mtimeMs } = statSync(`${outside.path}/file`);
    expect([mode, mtimeMs]).toEqual([before.mode, before.mtimeMs]);

    for (const [method, params] of changes((name) => here.uri(name))) {
      await peer.call(method, { ...params, sandbox });
    }
    expect(readFileSync(`${here.path}/renamed`, "utf8")).toBe("old new");
    expect(lstatSync(`${here.path}/renamed`)).toMatchObject({ mode: 0o100640, mtimeMs: 1_000 });
    expect(readlinkSync(`${here.path}/link`)).toBe("file");
  });

  test("changes nothing by way of a handle, whoever may read everything or not", async () => {
    using here = filesDirectory();
    here.put("file", "old");
    const before = statSync(`${here.path}/file`).mode;
    await using opened = await open();
    const { peer } = opened;
    for (const sandbox of [READ_ONLY, context(managed([path(here.uri(), "read")]))]) {
      await peer.call("fs/open", { handleId: "r", path: here.uri("file"), sandbox });
      expect(await systemRefusal(peer, "fs/setAttributes", { handleId: "r", mode: 0o777 })).toEqual(
        READ_ONLY_FILE_SYSTEM,
      );
      await peer.call("fs/close", { handleId: "r" });
      expect(
        await systemRefusal(peer, "fs/open", {
          handleId: "u",
          path: here.uri("file"),
          mode: "update",
          sandbox,
        }),
      )
        .toEqual(READ_ONLY_FILE_SYSTEM);
    }
    expect(statSync(`${here.path}/file`).mode).toBe(before);
    const sandbox = workspaceWrite(here.path);
    await peer.call("fs/open", { handleId: "u", path: here.uri("file"), mode: "update", sandbox });
    await peer.call("fs/setAttributes", { handleId: "u", length: 1, mode: 0o600 });
    expect([readFileSync(`${here.path}/file`, "utf8"), statSync(`${here.path}/file`).mode]).toEqual([
      "o",
      0o100600,
    ]);
  });

  test("lists what may be seen, and watches it only where all of it may be seen", async () => {
    using here = filesDirectory();
    using outside = filesDirectory();
    here.put("file", "");
    await using opened = await open();
    const { peer } = opened;
    const some = context(managed([path(here.uri(), "read")]));
    const { listingBase64 } = await peer.call<{ listingBase64: string }>("fs/list", {
      path: here.uri(),
      sandbox: some,
    });
    expect(Buffer.from(listingBase64, "base64").toString("latin1")).toContain("file");
    expect(await systemRefusal(peer, "fs/list", { path: outside.uri(), sandbox: some })).toEqual([
      -32004,
      "(os error 2)",
    ]);
    const watch = (watchId: number, sandbox: Json) =>
      peer.call("fs/watch", { watchId, path: here.uri(), sandbox });
    expect(await watch(1, some)).toEqual({ watching: false });
    expect(await watch(2, READ_ONLY)).toEqual({ watching: true });
  });
});

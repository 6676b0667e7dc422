import { describe, expect, test } from "bun:test";
import { RemoteClient } from "../../lib/client/remote_client.ts";
import type { Change } from "../../lib/fs/file_system.ts";
import { within } from "../support/peer_deadline.ts";
import { ScriptedServer } from "../support/scripted_server.ts";

// What our client says and hears about files beyond Codex, with a server that does what the test says.

async function connected(stack: AsyncDisposableStack, extensions: readonly string[]) {
  const server = new ScriptedServer();
  const environmentInfo = {
    shell: { name: "sh", path: "/bin/sh" },
    capabilities: { fileWriteStreaming: true },
  };
  server.answerInitialize = () => ({ result: { sessionId: server.sessionId, environmentInfo, extensions } });
  const client = stack.use(
    await RemoteClient.connect({ dial: server.dial, clientName: "tests", reconnects: true }),
  );
  return { server, files: await client.files(), connection: await server.connection(1) };
}

const METADATA = {
  isDirectory: false,
  isFile: true,
  isSymlink: false,
  size: 1,
  createdAtMs: 0,
  modifiedAtMs: 0,
};
const MORE = { mode: 0o644, links: 1, identity: "1:2", accessedAtMs: 3, changedAtMs: 4 };

describe("files.v1 on the wire", () => {
  test("a server that did not agree is asked in Codex's words, and its own words are not taken for ours", async () => {
    await using stack = new AsyncDisposableStack();
    const { files, connection } = await connected(stack, []);
    const looked = files.getMetadata("/a");
    const look = await connection.request("fs/getMetadata");
    expect(look.params).toEqual({ path: "file:///a" });
    connection.answer(look, { ...METADATA, more: "a member of a newer Codex" });
    expect(await looked).toEqual({ ...METADATA, more: null });
    const opened = files.open("/a", "replace");
    const open = await connection.request("fs/open");
    expect(open.params).toEqual({ handleId: "f1", path: "file:///a", mode: "replace" });
    connection.answer(open, { handleId: "f1", size: "large" });
    expect((await opened).size).toBeNull();
    const before = connection.requests.length;
    for (const doing of [() => files.rename("/a", "/b"), () => files.watch("/a", () => {})]) {
      const refused = await Promise.resolve(doing()).catch((error: unknown) => error);
      expect(refused).toMatchObject({ name: "FsError", code: "unsupported" });
    }
    expect(connection.requests.length).toBe(before);
  });

  test("an answer of ours that lacks what was agreed on, or names what is no name, is none", async () => {
    await using stack = new AsyncDisposableStack();
    const { files, connection } = await connected(stack, ["files.v1"]);
    const lacking = Promise.resolve(files.getMetadata("/a")).catch((error: unknown) => error);
    connection.answer(await connection.request("fs/getMetadata"), METADATA);
    expect(await lacking).toMatchObject({ code: "lost", errno: "EPROTO" });
    const link = files.getMetadata("/a", { itself: true });
    const look = await connection.request("fs/getMetadata");
    expect(look.params).toEqual({ path: "file:///a", itself: true });
    connection.answer(look, { ...METADATA, more: { ...MORE, linkTargetBase64: "/w==" } });
    expect((await link).more?.linkTarget).toEqual(new Uint8Array([0xff]));
    for (const listing of ["fa", "xa\0", "f\0", "fa/b\0", "f..\0", "d.\0", "\0"]) {
      const listed = Promise.resolve(files.readDirectory("/", { all: true })).catch((error: unknown) =>
        error
      );
      const listingBase64 = Buffer.from(listing).toString("base64");
      connection.answer(await connection.request("fs/list"), { listingBase64 });
      expect([listing, await listed]).toMatchObject([listing, { code: "lost", errno: "EPROTO" }]);
    }
    const known = "fa\x001 2 3 4 5 6 7 8:9\0";
    for (
      const listing of [
        known,
        "fa\0",
        "fa\0x\0",
        "fa\x001 2 3 4 5 6 7\0",
        known.replace("5", ""),
        known.replace("8", "8 8"),
      ]
    ) {
      const listed = Promise.resolve(files.readDirectory("/", { all: true, metadata: true }))
        .catch((error: unknown) => error);
      const asked = await connection.request("fs/list");
      expect(asked.params).toEqual({ path: "file:///", metadata: true });
      connection.answer(asked, { listingBase64: Buffer.from(listing).toString("base64") });
      expect([listing, await listed]).toMatchObject([
        listing,
        listing === known
          ? [{
            name: "a",
            metadata: { size: 1, createdAtMs: 2, modifiedAtMs: 3, more: { mode: 4, identity: "8:9" } },
          }]
          : { code: "lost", errno: "EPROTO" },
      ]);
    }
  });

  test("what changes before the answer is understood is told after it", async () => {
    await using stack = new AsyncDisposableStack();
    const { files, connection } = await connected(stack, ["files.v1"]);
    const told: Change[] = [];
    const change = Promise.withResolvers<void>();
    const watching = files.watch("/a", (change_) => {
      told.push(change_);
      change.resolve();
    });
    const asked = await connection.request("fs/watch");
    connection.answer(asked, { watching: true });
    for (const name of ["b", "%FF"]) {
      const params = { watchId: asked.params["watchId"], names: [name], overflow: false, ended: false };
      connection.send({ method: "fs/changed", params });
    }
    expect(await watching).not.toBeNull();
    await within(change.promise, "a change");
    expect(told).toEqual([{ names: ["b", new Uint8Array([0xff])], overflow: false, ended: false }]);
  });

  test("a watch ends with the connection, and what was stopped or never began tells nothing", async () => {
    await using stack = new AsyncDisposableStack();
    const { files, connection, server } = await connected(stack, ["files.v1"]);
    const told: [string, Change][] = [];
    const lost = Promise.withResolvers<void>();
    const watch = async (path: string, isWatching: boolean) => {
      const watching = files.watch(path, (change) => {
        told.push([path, change]);
        lost.resolve();
      });
      connection.answer(await connection.request("fs/watch"), { watching: isWatching });
      return await watching;
    };
    await watch("/kept", true);
    const stopped = await watch("/stopped", true);
    expect(await watch("/unsure", false)).toBeNull();
    stopped!.stop();
    expect((await connection.request("fs/unwatch")).params).toEqual({ watchId: 2 });
    connection.cut();
    await within(lost.promise, "the loss");
    await server.connection(2);
    expect(told).toEqual([["/kept", { names: [], overflow: true, ended: true }]]);
  });
});

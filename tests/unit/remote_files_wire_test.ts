import { describe, expect, test } from "bun:test";
import { RemoteClient } from "../../lib/client/remote_client.ts";
import { readBlocks, writeBlocks } from "../../lib/fs/file_blocks.ts";
import { type ScriptedConnection, ScriptedServer } from "../support/scripted_server.ts";
import { within } from "../support/peer_deadline.ts";

// What our client says on the wire about files, to a server that does what the test says.

const MIB = 1024 * 1024;

async function connected(stack: AsyncDisposableStack, capabilities: object = {}) {
  const server = new ScriptedServer();
  const environmentInfo = { shell: { name: "sh", path: "/bin/sh" }, capabilities };
  server.answerInitialize = () => ({ result: { sessionId: server.sessionId, environmentInfo } });
  const options = { dial: server.dial, clientName: "tests", reconnects: true };
  const client = stack.use(await RemoteClient.connect(options));
  return { files: await client.files(), connection: await server.connection(1) };
}

function metadata(size: number) {
  return { isDirectory: false, isFile: true, isSymlink: false, size, createdAtMs: 0, modifiedAtMs: 0 };
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Answers a block of a file of so many bytes, each byte the number of its MiB. */
async function answerBlock(connection: ScriptedConnection, size: number): Promise<number> {
  const block = await connection.request("fs/readBlock");
  const { offset, len } = block.params as { offset: number; len: number };
  const length = Math.max(0, Math.min(len, size - offset));
  const chunk = Buffer.alloc(length, offset / MIB).toString("base64");
  connection.answer(block, { chunk, eof: length < len });
  return offset / MIB;
}

describe("files on the wire", () => {
  test("a small file is one message, and a large one comes in blocks", async () => {
    await using stack = new AsyncDisposableStack();
    const { files, connection } = await connected(stack);
    const small = files.readFile("/small");
    connection.answer(await connection.request("fs/getMetadata"), metadata(3));
    connection.answer(await connection.request("fs/readFile"), { dataBase64: "YWJj" });
    expect(Buffer.from(await small).toString()).toBe("abc");

    const large = files.readFile("/large");
    connection.answer(await connection.request("fs/getMetadata"), metadata(5 * MIB));
    connection.answer(await connection.request("fs/open"), { handleId: "f1" });
    // It has grown by a byte meanwhile. Eight are asked for at first, and one more for each that was full.
    for (let block = 0; block < 8 + 5; block++) await answerBlock(connection, 5 * MIB + 1);
    connection.answer(await connection.request("fs/close"), {});
    const bytes = Buffer.from(await within(Promise.resolve(large), "the file"));
    const expected = Buffer.concat([...Array(6).keys()].map((n) => Buffer.alloc(n === 5 ? 1 : MIB, n)));
    expect(bytes.equals(expected)).toBe(true);
    expect(connection.count("fs/readFile")).toBe(1);
  });

  test("blocks are read ahead, not without bound, and given in order", async () => {
    await using stack = new AsyncDisposableStack();
    const { files, connection } = await connected(stack);
    const opening = files.open("/large", "read");
    connection.answer(await connection.request("fs/open"), { handleId: "f1" });
    const blocks = readBlocks(await opening);
    const first = blocks.next();
    await settle();
    expect(connection.count("fs/readBlock")).toBe(8);
    const asked = [];
    for (let i = 0; i < 8; i++) asked.push(await answerBlock(connection, 100 * MIB));
    expect(asked).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect((await first).value![0]).toBe(0);
    await settle();
    // Nobody takes more, so no more is asked for.
    expect(connection.count("fs/readBlock")).toBe(8);
    for (const number of [1, 2]) expect((await blocks.next()).value![0]).toBe(number);
    expect(connection.count("fs/readBlock")).toBe(10);
    const end = blocks.return(undefined);
    for (let i = 0; i < 2; i++) await answerBlock(connection, 100 * MIB);
    await within(end, "the end");
  });

  test("blocks are written several at a time, and the first refusal ends it", async () => {
    await using stack = new AsyncDisposableStack();
    const { files, connection } = await connected(stack, { fileWriteStreaming: true });
    const opening = files.open("/large", "replace");
    const open = await connection.request("fs/open");
    expect(open.params).toEqual({ handleId: "f1", path: "file:///large", mode: "replace" });
    connection.answer(open, { handleId: "f1" });
    let taken = 0;
    function* source() {
      for (; taken < 100; taken++) yield Buffer.alloc(MIB);
    }
    const writing = writeBlocks(await opening, source()).then(() => null, (error: unknown) => error);
    await settle();
    expect([connection.count("fs/writeBlock"), taken]).toEqual([8, 8]);
    connection.answer(await connection.request("fs/writeBlock"), {});
    connection.refuse(
      await connection.request("fs/writeBlock"),
      -32603,
      "No space left on device (os error 28)",
    );
    for (let i = 0; i < 7; i++) connection.answer(await connection.request("fs/writeBlock"), {});
    expect(await within(writing, "the refusal")).toMatchObject({ code: "system", errno: "ENOSPC" });
    expect([connection.count("fs/writeBlock"), taken]).toEqual([9, 9]);
  });

  test("paths are asked for as the system would see them", async () => {
    await using stack = new AsyncDisposableStack();
    const { files, connection } = await connected(stack);
    const paths = ["/a b%", "/é", "/a//b/", "/a/../b", "/C:/x", "/..."];
    const uris = [];
    for (const path of [...paths, Buffer.from([0x2f, 0xff])]) {
      const asked = files.getMetadata(path);
      const request = await connection.request("fs/getMetadata");
      uris.push(request.params["path"]);
      connection.answer(request, metadata(1));
      await asked;
    }
    expect(uris).toEqual([
      "file:///a%20b%25",
      "file:///%C3%A9",
      "file:///a/b",
      "file:///%2Fa%2F..%2Fb",
      "file:///%2FC:%2Fx",
      "file:///...",
      "file:///%FF",
    ]);
    const relative = await Promise.resolve(files.getMetadata("a")).catch((error: unknown) => error);
    expect(relative).toMatchObject({ name: "FsError", code: "refused" });
  });

  test("an answer that is none is told as such", async () => {
    await using stack = new AsyncDisposableStack();
    const { files, connection } = await connected(stack);
    const asked = Promise.resolve(files.getMetadata("/")).catch((error: unknown) => error);
    connection.answer(await connection.request("fs/getMetadata"), { isDirectory: true });
    expect(await asked).toMatchObject({ code: "lost", errno: "EPROTO" });
    const walked = (async () =>
      await files.walk("/a", {
        maxDepth: 1,
        maxDirectories: 1,
        maxEntries: 1,
        followDirectorySymlinks: false,
        pruneHiddenDirectories: false,
      }, () => true))().catch((error: unknown) => error);
    const entries = [{ path: "file:///ab/c", kind: "file" }];
    connection.answer(await connection.request("fs/walk"), { entries, errors: [], truncated: false });
    expect(await walked).toMatchObject({ code: "lost", errno: "EPROTO" });
  });
});

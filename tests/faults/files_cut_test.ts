import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "@std/path";
import { dialWebSocket } from "../../lib/client/dial.ts";
import { RemoteClient } from "../../lib/client/remote_client.ts";
import { readBlocks, writeBlocks } from "../../lib/fs/file_blocks.ts";
import { FsError } from "../../lib/fs/fs_error.ts";
import type { HttpBody, HttpRequest } from "../../lib/http/http_client.ts";
import { HttpError } from "../../lib/http/http_error.ts";
import { serve } from "../../lib/server/serve.ts";
import { CutProxy } from "../support/cut_proxy.ts";
import { untilTrue, within } from "../support/peer_deadline.ts";
import { ScriptedServer } from "../support/scripted_server.ts";
import { webServer } from "../support/web_server.ts";

// Files and requests on a line that is cut: nothing hangs, nothing is done twice, and what comes after works.

setDefaultTimeout(30_000);

const MIB = 1024 * 1024;
const never = new AbortController().signal;

async function behindProxy(stack: AsyncDisposableStack) {
  const server = await serve({ listen: "ws://127.0.0.1:0" });
  stack.defer(() => server.close());
  const proxy = stack.use(await CutProxy.to(server.url));
  const dial = dialWebSocket({ url: proxy.url });
  const client = stack.use(await RemoteClient.connect({ dial, clientName: "faults", reconnects: true }));
  const path = mkdtempSync(join(tmpdir(), "files-cut-"));
  stack.defer(() => rmSync(path, { recursive: true, force: true }));
  return { proxy, client, files: await client.files(), path };
}

/** Cuts once, when so much was carried that way. */
function cutAfter(proxy: CutProxy, way: "toServer" | "fromServer", bytes: number): void {
  const from = proxy.carried[way];
  proxy.onCarried = () => {
    if (proxy.carried[way] - from < bytes) return;
    proxy.onCarried = () => {};
    proxy.cut();
  };
}

async function lossOf(doing: Promise<unknown>): Promise<{ errno: string | null; message: string }> {
  try {
    await within(doing, "a failure");
  } catch (error) {
    if (error instanceof FsError) return { errno: error.errno, message: error.message };
    throw error;
  }
  throw new Error("It did not fail");
}

const LOST = { errno: "ECONNRESET", message: expect.stringContaining("exec-server transport disconnected") };

describe("files on a line that is cut", () => {
  test("a big read fails clearly, and the next one works", async () => {
    await using stack = new AsyncDisposableStack();
    const { proxy, files, path } = await behindProxy(stack);
    const bytes = Buffer.alloc(40 * MIB, "abcdefg");
    writeFileSync(`${path}/big`, bytes);
    cutAfter(proxy, "fromServer", 10 * MIB);
    expect(await lossOf(Promise.resolve(files.readFile(`${path}/big`)))).toEqual(LOST);
    expect(proxy.cuts).toBe(1);
    expect(Buffer.from(await files.readFile(`${path}/big`)).equals(bytes)).toBe(true);
  });

  test("a stream of blocks breaks off in order, and goes on from there with a new handle", async () => {
    await using stack = new AsyncDisposableStack();
    const { proxy, files, path } = await behindProxy(stack);
    const bytes = Buffer.alloc(30 * MIB, "hijklmnop");
    writeFileSync(`${path}/big`, bytes);
    const parts: Uint8Array[] = [];
    const taken = () => parts.reduce((sum, part) => sum + part.length, 0);
    const collect = async () => {
      const file = await files.open(`${path}/big`, "read");
      try {
        for await (const block of readBlocks(file, taken())) parts.push(block);
      } finally {
        await file.close();
      }
    };
    let cuts = 0;
    while (taken() < bytes.length) {
      if (cuts < 3) cutAfter(proxy, "fromServer", 9 * MIB);
      const ended = collect().then(() => null, (error: unknown) => error);
      if (await within(ended, "the end of the stream") !== null) cuts++;
    }
    expect(cuts).toBe(3);
    expect(Buffer.concat(parts).equals(bytes)).toBe(true);
  });

  test("a handle that was lost stays lost, and closing it is no failure", async () => {
    await using stack = new AsyncDisposableStack();
    const { proxy, client, files, path } = await behindProxy(stack);
    writeFileSync(`${path}/file`, "content");
    const file = await files.open(`${path}/file`, "read");
    const lost = Promise.withResolvers<void>();
    client.onState(({ state }) => state === "recovering" && lost.resolve());
    proxy.cut();
    await within(lost.promise, "the loss");
    expect(Buffer.from(await files.readFile(`${path}/file`)).toString()).toBe("content");
    expect(await lossOf(Promise.resolve(file.read(0, 10)))).toEqual(LOST);
    await file.close();
  });

  test("a stream that is written fails, and what was acknowledged is there", async () => {
    await using stack = new AsyncDisposableStack();
    const { proxy, files, path } = await behindProxy(stack);
    const bytes = Buffer.alloc(30 * MIB, "qrstuvwxyz.");
    const file = await files.open(`${path}/file`, "replace");
    await file.write(0, bytes.subarray(0, 3 * MIB));
    cutAfter(proxy, "toServer", 12 * MIB);
    const rest = Array.from({ length: 27 }, (_, i) => bytes.subarray((i + 3) * MIB, (i + 4) * MIB));
    expect(await lossOf(writeBlocks(file, rest, 3 * MIB))).toEqual(LOST);
    await file.close();
    expect(readFileSync(`${path}/file`).subarray(0, 3 * MIB).equals(bytes.subarray(0, 3 * MIB))).toBe(true);
  });

  test("a change whose answer is lost is told as unknown, and never asked for again", async () => {
    const server = new ScriptedServer();
    server.answerInitialize = () => ({
      result: {
        sessionId: server.sessionId,
        environmentInfo: {
          shell: { name: "sh", path: "/bin/sh" },
          capabilities: { fileWriteStreaming: true },
        },
      },
    });
    await using client = await RemoteClient.connect({
      dial: server.dial,
      clientName: "faults",
      reconnects: true,
    });
    const files = await client.files();
    const changes: [string, () => Promise<unknown>][] = [
      ["fs/writeFile", async () => await files.writeFile("/x", Buffer.from("x"))],
      ["fs/remove", async () => await files.remove("/x", { recursive: true, force: true })],
      ["fs/copy", async () => await files.copy("/x", "/y", { recursive: true })],
      ["fs/createDirectory", async () => await files.createDirectory("/x", { recursive: false })],
      ["fs/open", async () => await files.open("/x", "replace")],
    ];
    for (const [index, [method, change]] of changes.entries()) {
      const connection = await server.connection(index + 1);
      const ended = lossOf(change());
      await connection.request(method);
      connection.cut();
      expect(await ended).toEqual(LOST);
      const next = await server.connection(index + 2);
      const asked = files.getMetadata("/x");
      next.answer(await next.request("fs/getMetadata"), {
        isDirectory: false,
        isFile: true,
        isSymlink: false,
        size: 1,
        createdAtMs: -5,
        modifiedAtMs: 0,
      });
      expect(await asked).toMatchObject({ size: 1, createdAtMs: -5 });
      expect(next.count(method)).toBe(0);
    }
  });

  test("a watch whose connection is lost tells, because nobody knows what happened meanwhile", async () => {
    await using stack = new AsyncDisposableStack();
    const { proxy, files, path } = await behindProxy(stack);
    const told = Promise.withResolvers<void>();
    const watch = await files.watchMissing({ missing: [`${path}/x`], present: null }, told.resolve);
    expect(watch).not.toBeNull();
    proxy.cut();
    await within(told.promise, "the change");
    const again = Promise.withResolvers<void>();
    expect(await files.watchMissing({ missing: [`${path}/x`], present: null }, again.resolve)).not.toBeNull();
    writeFileSync(`${path}/x`, "");
    await within(again.promise, "the change");
  });

  test("a block that is short and not the last is no end of the file", async () => {
    const server = new ScriptedServer();
    await using client = await RemoteClient.connect({
      dial: server.dial,
      clientName: "faults",
      reconnects: true,
    });
    const connection = await server.connection(1);
    const ended = lossOf((async () => await (await (await client.files()).open("/x", "read")).read(0, 10))());
    connection.answer(await connection.request("fs/open"), { handleId: "f1" });
    connection.answer(await connection.request("fs/readBlock"), { chunk: "YWJj", eof: false });
    expect(await ended).toEqual({ errno: "EPROTO", message: expect.stringContaining("a block of 3 bytes") });
  });

  test("a client whose way is lost for good says that nothing was sent", async () => {
    const server = new ScriptedServer();
    await using client = await RemoteClient.connect({
      dial: server.dial,
      clientName: "faults",
      reconnects: false,
    });
    const files = await client.files();
    const connection = await server.connection(1);
    const gone = Promise.withResolvers<void>();
    client.onState(() => gone.resolve());
    connection.cut();
    await within(gone.promise, "the loss");
    expect((await lossOf((async () => await files.remove("/x", { recursive: true, force: true }))())).errno)
      .toBe("ENOTCONN");
  });
});

function request(url: string): HttpRequest {
  return { method: "GET", url, headers: [], body: new Uint8Array(), timeoutMs: null, redirects: "follow" };
}

async function httpFailure(doing: Promise<unknown>): Promise<{ code: string; message: string }> {
  try {
    await within(doing, "a failure");
  } catch (error) {
    if (error instanceof HttpError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error("It did not fail");
}

async function sizeOf(body: HttpBody): Promise<number> {
  let size = 0;
  for (let bytes; (bytes = await body.take(MIB)) !== null;) size += bytes.length;
  return size;
}

describe("requests on a line that is cut", () => {
  test("a body fails at once, after what came of it, and its connection ends; the next request works", async () => {
    await using web = await webServer(({ line }) =>
      line.includes("/slow")
        ? "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc"
        : "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
    );
    await using stack = new AsyncDisposableStack();
    const { proxy, client } = await behindProxy(stack);
    const http = await client.http();
    const { body } = await http.send(request(`${web.url}/slow`), never);
    expect(Buffer.from((await body.take(MIB))!).toString()).toBe("abc");
    const ended = httpFailure(body.take(MIB));
    proxy.cut();
    expect(await ended).toEqual({
      code: "body",
      message: expect.stringContaining("error decoding response body: exec-server transport disconnected"),
    });
    const next = await http.send(request(web.url), never);
    expect([next.status, await sizeOf(next.body)]).toEqual([200, 2]);
    await untilTrue(() => web.connections.size === 0, "the end of the first connection to the web server");
  });

  test("a request without a response fails once, and is not made again", async () => {
    await using web = await webServer(() => undefined);
    await using stack = new AsyncDisposableStack();
    const { proxy, client } = await behindProxy(stack);
    const ended = httpFailure((await client.http()).send(request(web.url), never));
    await untilTrue(() => web.seen.length === 1, "the request");
    proxy.cut();
    expect(await ended).toEqual({
      code: "failed",
      message: expect.stringContaining("exec-server transport disconnected"),
    });
    await web.allClosed();
    await client.status();
    expect(web.seen).toHaveLength(1);
  });

  test("a body with a hole in it fails, and so does one that nobody takes while answers are waited for", async () => {
    const server = new ScriptedServer();
    await using client = await RemoteClient.connect({
      dial: server.dial,
      clientName: "faults",
      reconnects: true,
    });
    const connection = await server.connection(1);
    const http = await client.http();
    const begin = async () => {
      const sent = http.send(request("http://host/"), never);
      const asked = await connection.request("http/request");
      connection.answer(asked, { status: 200, headers: [], bodyBase64: "" });
      return { requestId: asked.params["requestId"], body: (await sent).body };
    };
    const delta = (requestId: unknown, seq: number, bytes: Buffer) =>
      connection.send({
        method: "http/request/bodyDelta",
        params: { requestId, seq, deltaBase64: bytes.toString("base64"), done: false, error: null },
      });
    const holed = await begin();
    delta(holed.requestId, 1, Buffer.from("a"));
    delta(holed.requestId, 3, Buffer.from("c"));
    expect(Buffer.from((await holed.body.take(9))!).toString()).toBe("a");
    expect((await httpFailure(holed.body.take(9))).message).toEndWith("piece 2 of the body was lost");

    const left = await begin();
    const status = client.status();
    const probe = await connection.request("environment/status");
    for (let seq = 1; seq <= 18; seq++) delta(left.requestId, seq, Buffer.alloc(MIB));
    connection.answer(probe, { status: "ready" });
    await status;
    const size = sizeOf(left.body);
    expect((await httpFailure(size)).message).toEndWith("of the body were not taken");
  });
});

import { createServer, type Socket } from "node:net";
import { afterAll, describe, expect, test } from "bun:test";
import type { HttpClient, HttpRequest } from "../../lib/http/http_client.ts";
import { httpTargets } from "../support/http_targets.ts";
import { untilTrue } from "../support/peer_deadline.ts";
import { type Answerer, OK, respond, type Seen, type WebServer, webServer } from "../support/web_server.ts";

const opened = new AsyncDisposableStack();
afterAll(() => opened.disposeAsync());

const never = new AbortController().signal;

/** Asks and takes all of the body. */
async function ask(client: HttpClient, url: string, change: Partial<HttpRequest> = {}): Promise<string> {
  const request = { method: "GET", url, headers: [], body: new Uint8Array(), timeoutMs: null };
  const { status, body } = await client.send({ ...request, redirects: "follow", ...change }, never);
  let text = `${status} `;
  for (let bytes; (bytes = await body.take(65_536)) !== null;) text += Buffer.from(bytes).toString("latin1");
  return text;
}

/** A web server that counts its connections; the answer is told which of them it is on, from 1. */
async function countingServer(
  answer: (seen: Seen, connection: number, socket: Socket) => ReturnType<Answerer>,
): Promise<WebServer & { readonly sockets: readonly Socket[] }> {
  const sockets: Socket[] = [];
  const server = await webServer((seen, socket) => {
    if (!sockets.includes(socket)) sockets.push(socket);
    return answer(seen, sockets.indexOf(socket) + 1, socket);
  });
  return Object.assign(server, { sockets });
}

/** Sooner than an idle connection is ended for its age. */
function untilEnded({ connections }: WebServer): Promise<void> {
  return untilTrue(() => connections.size === 0, "the end of an idle connection", 3_000);
}

describe.each(httpTargets(opened))("the $name HTTP client", ({ make }) => {
  const client = make({});

  test.each([
    ["its length", "200 OK\r\ncontent-length: 2\r\n\r\nok", "200 ok"],
    ["its last chunk", "200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\na: b\r\n\r\n", "200 ok"],
    ["having none", "204 No Content\r\n\r\n", "204 "],
    [
      "having none, and its length is that of another",
      "304 Not Modified\r\ncontent-length: 2\r\n\r\n",
      "304 ",
    ],
  ])("asks again on a connection whose answer ended by %s", async (_, response, expected) => {
    await using server = await countingServer(() => `HTTP/1.1 ${response}`);
    for (const method of ["GET", "POST", "DELETE"]) {
      expect(await ask(client, server.url, { method, body: Buffer.from("body") })).toBe(expected);
    }
    expect(server.seen.map(({ line, body }) => `${line} ${body}`)).toEqual([
      "GET / HTTP/1.1 body",
      "POST / HTTP/1.1 body",
      "DELETE / HTTP/1.1 body",
    ]);
    expect(server.sockets).toHaveLength(1);
  });

  test("asks again on a connection after a head alone", async () => {
    await using server = await countingServer(() => "HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n");
    for (let i = 0; i < 2; i++) expect(await ask(client, server.url, { method: "HEAD" })).toBe("200 ");
    expect(server.sockets).toHaveLength(1);
  });

  test.each([
    [
      "says that it closes",
      "HTTP/1.1 200 OK\r\nConnection: Keep-Alive, Close\r\ncontent-length: 2\r\n\r\nok",
    ],
    ["speaks HTTP/1.0", "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok"],
    ["sends more than its length", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n"],
    [
      "sends more after its last chunk",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n",
    ],
    [
      "says two different ends",
      "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    ],
    ["has little patience", "HTTP/1.1 200 OK\r\nkeep-alive: timeout=1, max=9\r\ncontent-length: 2\r\n\r\nok"],
  ])("does not ask again where the server %s", async (_, response) => {
    await using server = await countingServer(() => response);
    for (let i = 1; i <= 2; i++) {
      expect(await ask(client, server.url)).toBe("200 ok");
      await server.allClosed();
      expect(server.sockets).toHaveLength(i);
    }
  });

  test("does not ask again where a response without a body says that it has one, nor where the caller closes", async () => {
    await using server = await countingServer(({ line }) =>
      line.includes("/204") ? "HTTP/1.1 204 No Content\r\ncontent-length: 2\r\n\r\n" : OK
    );
    await ask(client, `${server.url}/204`);
    await server.allClosed();
    await ask(client, server.url, { headers: [{ name: "Connection", value: "close", valueEnvVar: null }] });
    await server.allClosed();
    expect(server.sockets).toHaveLength(2);
  });

  test("does not ask again where the server answered before it had read all", async () => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket.pause());
      socket.on("close", () => sockets.delete(socket));
      socket.on("error", () => {});
      socket.write(OK);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const address = server.address();
      const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : null}`;
      expect(await ask(client, url, { method: "PUT", body: Buffer.alloc(16 * 1024 * 1024) })).toBe("200 ok");
      for (const socket of sockets) socket.resume(); // a paused one does not see the end
      await untilTrue(() => sockets.size === 0, "the end of a connection", 3_000);
    } finally {
      for (const socket of sockets) socket.destroy();
      server.close();
    }
  });

  test("ends an idle connection on which something comes, so that it is no later answer", async () => {
    await using server = await countingServer(() => OK);
    await ask(client, server.url);
    server.sockets[0]!.write(respond("planted"));
    await untilEnded(server);
    expect(await ask(client, server.url, { method: "POST" })).toBe("200 ok");
    expect(server.sockets).toHaveLength(2);
  });

  test("dials anew where the server has hung up an idle connection", async () => {
    await using server = await countingServer(() => OK);
    await ask(client, server.url);
    server.sockets[0]!.end();
    await untilEnded(server);
    expect(await ask(client, server.url, { method: "POST" })).toBe("200 ok");
    expect(server.sockets).toHaveLength(2);
  });

  test("repeats what a server hung up on, once and on a new connection, where twice is the same as once", async () => {
    await using server = await countingServer(({ line }, connection, socket) => {
      const isFirst = server.seen.filter((seen) => seen.line === line).length === 1;
      if (line.includes("/first") || connection > 1 && !line.includes("/always") && !isFirst) return OK;
      socket.destroy();
    });
    for (const method of ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]) {
      await ask(client, `${server.url}/first`);
      const expected = method === "HEAD" ? "200 " : "200 ok";
      expect(await ask(client, server.url, { method, body: Buffer.from("b") })).toBe(expected);
      expect(server.seen.slice(-2).map(({ line, body }) => `${line} ${body}`)).toEqual(
        Array(2).fill(`${method} / HTTP/1.1 b`),
      );
    }
    await ask(client, `${server.url}/first`);
    const before = server.seen.length;
    expect(await ask(client, `${server.url}/always`).catch((error) => error.code)).toBe("failed");
    expect(server.seen).toHaveLength(before + 2);
  });

  test("repeats nothing that may have been done, nor what was answered in part", async () => {
    await using server = await countingServer(({ line }, _, socket) => {
      if (line.includes("/first")) return OK;
      if (line.startsWith("GET")) socket.end("HTTP/1.1 2");
      else socket.destroy();
    });
    for (const method of ["POST", "PATCH", "get", "GET"]) {
      await ask(client, `${server.url}/first`);
      const before = server.seen.length;
      expect(await ask(client, server.url, { method }).catch((error) => error.code)).toBe("failed");
      expect(server.seen).toHaveLength(before + 1);
    }
  });

  test("goes on to where it is sent on the same connection, and past a body that is not there yet on another", async () => {
    await using server = await countingServer(({ line }) => {
      if (line.includes("/end")) return OK;
      const length = line.includes("/slow") ? 9 : 3;
      return `HTTP/1.1 307 On\r\nlocation: /end\r\ncontent-length: ${length}\r\n\r\n...`;
    });
    expect(await ask(client, `${server.url}/quick`)).toBe("200 ok");
    expect(server.sockets).toHaveLength(1);
    expect(await ask(client, `${server.url}/slow`)).toBe("200 ok");
    expect(server.sockets).toHaveLength(2);
    expect(await ask(client, `${server.url}/quick`, { redirects: "stop" })).toBe("307 ...");
    expect(server.sockets).toHaveLength(2);
    expect(server.connections.size).toBe(1);
  });

  test("shares no connection between requests at the same time, nor after a body that was dropped", async () => {
    let first: Socket | undefined;
    await using server = await countingServer((_, connection, socket) => {
      if (connection > 1) return OK;
      first = socket;
      return "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nabc";
    });
    const slow = ask(client, server.url);
    await untilTrue(() => first !== undefined, "the first request");
    expect(await ask(client, server.url)).toBe("200 ok");
    first!.write("def");
    expect(await slow).toBe("200 abcdef");
    expect(server.sockets).toHaveLength(2);
  });

  test("keeps what goes through a proxy, or to another name of the same server, apart", async () => {
    await using proxy = await countingServer(() => respond("by proxy"));
    await using server = await countingServer(() => OK);
    const through = make({ http_proxy: proxy.url, NO_PROXY: "127.0.0.1,localhost" });
    for (let i = 0; i < 2; i++) {
      expect(await ask(through, "http://one.test/")).toBe("200 by proxy");
      expect(await ask(through, "http://two.test/")).toBe("200 by proxy");
      expect(await ask(through, server.url)).toBe("200 ok");
      expect(await ask(through, server.otherUrl)).toBe("200 ok");
    }
    expect([proxy.sockets.length, server.sockets.length]).toEqual([2, 2]);
  });
});

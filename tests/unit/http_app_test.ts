import { describe, expect, test } from "bun:test";
import { type Authenticator, bearerAuthenticator } from "../../lib/server/authenticator.ts";
import { createHttpApp, type HttpAppOptions } from "../../lib/server/http_app.ts";
import { serve } from "../../lib/server/serve.ts";
import { type RawAnswer, rawHttp, type RawRequest, UPGRADE } from "../support/raw_http.ts";

const TEXT = "text/plain; charset=utf-8";
const NO_TOKEN = "missing websocket bearer token";

const withToken: Authenticator = bearerAuthenticator((token) =>
  Promise.resolve(token === "right" ? null : "invalid websocket bearer token")
);

function appWith(options: Partial<HttpAppOptions<undefined>> = {}) {
  return createHttpApp<undefined>({
    auth: null,
    allowHosts: [],
    version: () => ({ version: "1.2.3" }),
    upgrade: (request, server) => server.upgrade(request, { data: undefined }),
    ready: () => true,
    ...options,
  });
}

/** An app behind a real socket: what Bun makes of a request and of an answer is part of the promise. */
function served(options: Partial<HttpAppOptions<undefined>> = {}) {
  const app = appWith(options);
  const server = Bun.serve<undefined>({
    hostname: "127.0.0.1",
    port: 0,
    development: false,
    fetch: (request, server) => app.fetch(request, { server }),
    websocket: { message() {} },
  });
  return {
    ask: (request: RawRequest) => rawHttp(String(server.url), request),
    upgrade: (request: RawRequest = {}) =>
      rawHttp(String(server.url), { ...request, headers: { ...UPGRADE, ...request.headers } }),
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

function textAnswer(answer: RawAnswer) {
  return { status: answer.status, type: answer.headers.get("content-type"), body: answer.body };
}

describe("the open routes", () => {
  test.each(["/readyz", "/healthz", "/livez", "/readyz?x"])(
    "answer GET and HEAD %s with 200 and nothing",
    async (path) => {
      await using server = served({ auth: withToken });
      for (const method of ["GET", "HEAD"]) {
        expect(await server.ask({ method, path })).toMatchObject({ status: 200, body: "" });
      }
    },
  );

  test.each(["/readyz", "/healthz", "/livez", "/version"])("refuse other methods on %s", async (path) => {
    await using server = served({ auth: withToken });
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"]) {
      const answer = await server.ask({ method, path });
      expect(answer).toMatchObject({ status: 405, body: "" });
      expect(answer.headers.get("allow")).toBe("GET,HEAD");
    }
  });

  test("tell when the server takes no new work, but stay alive", async () => {
    const app = appWith({ ready: () => false });
    const statusOf = async (path: string) => (await app.request(path)).status;
    expect(await Promise.all(["/readyz", "/healthz", "/livez"].map(statusOf))).toEqual([503, 503, 200]);
  });

  test("answer a request without Host, as HTTP/1.0 allows", async () => {
    await using server = served();
    const ask = (path: string) => server.ask({ path, version: "1.0", headers: { Host: undefined } });
    expect(await ask("/readyz")).toMatchObject({ status: 200 });
    expect(await ask("/x")).toMatchObject({ status: 404 });
  });
});

describe("unknown paths", () => {
  test.each(["/x", "/readyz/", "/READYZ", "//readyz", "/%72eadyz", "/readyz%3f", "/x?/readyz"])(
    "%s is answered with 404 and nothing, whatever the method",
    async (path) => {
      await using server = served({ auth: withToken });
      for (const method of ["GET", "HEAD", "POST"]) {
        expect(await server.ask({ method, path })).toMatchObject({ status: 404, body: "" });
      }
      expect(await server.upgrade({ path })).toMatchObject({ status: 404, body: "" });
    },
  );

  test("are answered without waiting for a body", async () => {
    await using server = served();
    expect(await server.ask({ method: "POST", path: "/x", headers: { "Content-Length": "100000" } }))
      .toMatchObject({ status: 404 });
    expect(await server.ask({ method: "POST", path: "/x", headers: { "Transfer-Encoding": "chunked" } }))
      .toMatchObject({ status: 404 });
  });
});

describe("/version", () => {
  test("tells the version to everybody while there is no authentication", async () => {
    const answer = await appWith().request("/version");
    expect(answer.headers.get("content-type")).toBe("application/json");
    expect(await answer.json()).toEqual({ version: "1.2.3" });
  });

  test("waits for what takes a while to find out, and is told of our sandbox by the server itself", async () => {
    const late = appWith({ version: () => Promise.resolve({ version: "4.5.6" }) });
    expect(await (await late.request("/version")).json()).toEqual({ version: "4.5.6" });
    const server = await serve({ listen: "ws://127.0.0.1:0" });
    try {
      const { body } = await rawHttp(server.url, { path: "/version" });
      expect(JSON.parse(body)).toMatchObject({
        sandbox: { mechanism: expect.any(String), holds: expect.any(String) },
      });
    } finally {
      await server.close();
    }
  });

  test("asks for the token where there is one", async () => {
    await using server = served({ auth: withToken });
    const ask = (Authorization?: string) => server.ask({ path: "/version", headers: { Authorization } });
    expect(textAnswer(await ask())).toEqual({ status: 401, type: TEXT, body: NO_TOKEN });
    expect(await ask("Bearer wrong")).toMatchObject({ status: 401, body: "invalid websocket bearer token" });
    expect(await ask("Bearer right")).toMatchObject({ status: 200, body: '{"version":"1.2.3"}' });
    expect(await server.ask({ method: "HEAD", path: "/version" })).toMatchObject({ status: 401 });
  });
});

describe("a page in a browser", () => {
  test.each(["http://evil.example", "null", ""])(
    "is refused before all else with Origin %j",
    async (Origin) => {
      await using server = served({ auth: withToken });
      for (const path of ["/", "/readyz", "/version", "/x"]) {
        const refused = { status: 403, body: "" };
        expect(await server.ask({ path, headers: { Origin, Host: "evil.example" } })).toMatchObject(refused);
        expect(await server.ask({ path, method: "POST", headers: { Origin } })).toMatchObject(refused);
        expect(await server.upgrade({ path, headers: { Origin } })).toMatchObject(refused);
      }
    },
  );

  test.each([
    "evil.example",
    "evil.example:80",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "evil.example, 127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f.0.0.1",
    "::1",
    "[::1",
    "[evil]",
    "127.0.0.1:80:80",
    "",
  ])("is refused with the Host %j, which it may have pointed here", async (Host) => {
    await using server = served({ allowHosts: ["devbox"] });
    for (const path of ["/", "/readyz", "/x"]) {
      expect(textAnswer(await server.ask({ path, headers: { Host } })))
        .toEqual({ status: 403, type: TEXT, body: "host not allowed" });
    }
    expect(await server.upgrade({ headers: { Host } })).toMatchObject({ status: 403 });
  });

  test.each([
    "127.0.0.1",
    "127.0.0.1:8080",
    "10.1.2.3",
    "[::1]",
    "[::1]:8080",
    "localhost",
    "LOCALHOST:8080",
    "devbox",
    "DevBox:443",
  ])("could not send the Host %j", async (Host) => {
    await using server = served({ allowHosts: ["Devbox"] });
    expect(await server.ask({ path: "/readyz", headers: { Host } })).toMatchObject({ status: 200 });
    expect(await server.upgrade({ headers: { Host } })).toMatchObject({ status: 101 });
  });
});

describe("an upgrade at /", () => {
  test.each<RawRequest>([
    {},
    { path: "/?a=b" },
    { headers: { Connection: "keep-alive, Upgrade" } },
    { headers: { Connection: "uPGRADE", Upgrade: "WebSocket" } },
    { headers: { Authorization: "Basic whatever" } },
  ])("succeeds: %j", async (request) => {
    await using server = served();
    expect(await server.upgrade(request)).toMatchObject({ status: 101 });
  });

  test("agrees on no subprotocol and no compression", async () => {
    await using server = served();
    const { status, headers } = await server.upgrade({
      headers: { "Sec-WebSocket-Protocol": "a, b", "Sec-WebSocket-Extensions": "permessage-deflate" },
    });
    expect(status).toBe(101);
    expect([...headers.keys()].filter((name) => name.startsWith("sec-websocket"))).toEqual([
      "sec-websocket-accept",
    ]);
  });

  const noConnection = "Connection header did not include 'upgrade'";
  const noUpgrade = "`Upgrade` header did not include 'websocket'";
  const noVersion = "`Sec-WebSocket-Version` header did not include '13'";
  test.each<[Record<string, string | undefined>, string]>([
    [{ Connection: undefined, Upgrade: undefined }, noConnection],
    [{ Connection: undefined }, noConnection],
    [{ Connection: "keep-alive" }, noConnection],
    [{ Upgrade: undefined, "Sec-WebSocket-Version": undefined }, noUpgrade],
    [{ Upgrade: "h2c" }, noUpgrade],
    [{ Upgrade: "websocket, foo" }, noUpgrade],
    [{ "Sec-WebSocket-Version": undefined, "Sec-WebSocket-Key": undefined }, noVersion],
    [{ "Sec-WebSocket-Version": "8" }, noVersion],
    [{ "Sec-WebSocket-Version": "13, 8" }, noVersion],
    [{ "Sec-WebSocket-Key": undefined }, "`Sec-WebSocket-Key` header missing"],
    [{ "Sec-WebSocket-Key": "x" }, "`Sec-WebSocket-Key` header is not 16 bytes in base64"],
  ])("is refused with the headers %j, before authentication", async (headers, body) => {
    await using server = served({ auth: withToken });
    expect(textAnswer(await server.upgrade({ headers }))).toEqual({ status: 400, type: TEXT, body });
  });

  test("needs GET, and says so before it looks at headers or token", async () => {
    await using server = served({ auth: withToken });
    const refused = { status: 405, type: TEXT, body: "Request method must be `GET`" };
    for (const method of ["POST", "PUT", "OPTIONS", "DELETE"]) {
      expect(textAnswer(await server.upgrade({ method }))).toEqual(refused);
      expect(textAnswer(await server.ask({ method }))).toEqual(refused);
    }
    expect(textAnswer(await server.upgrade({ method: "HEAD" }))).toEqual({ ...refused, body: "" });
  });

  test("asks for the token last", async () => {
    await using server = served({ auth: withToken });
    const upgrade = (Authorization?: string) => server.upgrade({ headers: { Authorization } });
    expect(textAnswer(await upgrade())).toEqual({ status: 401, type: TEXT, body: NO_TOKEN });
    expect(await upgrade("")).toMatchObject({ status: 401, body: "invalid authorization header" });
    expect(await upgrade("Bearer wrong")).toMatchObject({
      status: 401,
      body: "invalid websocket bearer token",
    });
    expect(await upgrade("Bearer right")).toMatchObject({ status: 101 });
    expect(await server.upgrade({ path: "/?token=right" })).toMatchObject({ status: 401, body: NO_TOKEN });
  });

  test("never reaches the socket's maker without a good token", async () => {
    let upgrades = 0;
    await using server = served({
      auth: withToken,
      upgrade: (request, server) => ++upgrades > 0 && server.upgrade(request, { data: undefined }),
    });
    await server.upgrade();
    await server.upgrade({ method: "HEAD", headers: { Authorization: "Bearer right" } });
    expect(upgrades).toBe(0);
    await server.upgrade({ headers: { Authorization: "Bearer right" } });
    expect(upgrades).toBe(1);
  });

  test("is refused with 503 while no new work is welcome, and with 426 when the server will not", async () => {
    await using full = served({ ready: () => false });
    expect(await full.upgrade()).toMatchObject({ status: 503, body: "" });
    await using unwilling = served({ upgrade: () => false });
    expect(await unwilling.upgrade()).toMatchObject({ status: 426 });
  });
});

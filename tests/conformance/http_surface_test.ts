import { expect } from "bun:test";
import { createHash } from "node:crypto";
import { rawHttp, UPGRADE } from "../support/raw_http.ts";
import { onEachTarget } from "./on_each_target.ts";

onEachTarget(({ target, test }) => {
  const digest = createHash("sha256").update("secret").digest("hex");
  const auth = ["--ws-auth", "capability-token", "--ws-token-sha256", digest];

  for (const [condition, flags] of [["without", undefined], ["with", auth]] as const) {
    test(`5 GET and HEAD /readyz are answered 200 with no body ${condition} authentication`, async () => {
      await using server = await target.serve({ flags: flags && [...flags] });
      for (const method of ["GET", "HEAD"]) {
        const { status, body } = await rawHttp(server.url, { method, path: "/readyz" });
        expect({ method, status, body }).toEqual({ method, status: 200, body: "" });
      }
    });
  }

  test("5 other methods on /readyz are answered 405 with the allowed ones", async () => {
    await using server = await target.serve();
    for (const method of ["POST", "PUT", "DELETE"]) {
      const { status, body, headers } = await rawHttp(server.url, { method, path: "/readyz" });
      expect({ method, status, body }).toEqual({ method, status: 405, body: "" });
      expect(headers.get("allow")?.replaceAll(" ", "")).toBe("GET,HEAD");
    }
  });

  test("6 unknown paths are answered 404, an upgrade there too", async () => {
    await using server = await target.serve();
    for (const path of ["/x", "/metrics", "/readyz/", "/readyz/x", "//", "/index.html"]) {
      for (const headers of [{}, UPGRADE]) {
        const { status, body } = await rawHttp(server.url, { path, headers });
        expect({ path, status, body }).toEqual({ path, status: 404, body: "" });
      }
    }
  });

  test("6 /healthz, /livez and /version are ours and nobody else's", async () => {
    await using server = await target.serve();
    for (const path of ["/healthz", "/livez", "/version"]) {
      const { status } = await rawHttp(server.url, { path });
      expect({ path, status }).toEqual({ path, status: target.name === "ours" ? 200 : 404 });
    }
  });

  test("7 any request with an Origin is answered 403, upgrade or not", async () => {
    await using server = await target.serve();
    for (const Origin of ["http://example.com", "null", "", new URL(server.url).origin]) {
      for (const path of ["/", "/readyz", "/x"]) {
        for (const method of ["GET", "POST", "OPTIONS"]) {
          for (const headers of [{ Origin }, { ...UPGRADE, Origin }]) {
            const { status, body } = await rawHttp(server.url, { method, path, headers });
            expect({ Origin, path, method, status, body }).toEqual({
              Origin,
              path,
              method,
              status: 403,
              body: "",
            });
          }
        }
      }
    }
  });

  test("7 a Host that is no address is refused by ours, against DNS rebinding", async () => {
    await using server = await target.serve();
    const { port } = new URL(server.url);
    for (const path of ["/", "/readyz"]) {
      const { status, body } = await rawHttp(server.url, {
        path,
        headers: { ...UPGRADE, Host: `evil.example:${port}` },
      });
      if (target.name === "ours") expect({ status, body }).toEqual({ status: 403, body: "host not allowed" });
      else expect(status).toBe(path === "/" ? 101 : 200);
    }
    for (const Host of [`localhost:${port}`, "localhost", "127.0.0.1", `[::1]:${port}`]) {
      const { status } = await rawHttp(server.url, { headers: { ...UPGRADE, Host } });
      expect({ Host, status }).toEqual({ Host, status: 101 });
    }
  });

  test("8 GET / with something missing from the upgrade is answered 400 with what it is", async () => {
    await using server = await target.serve();
    const version = "`Sec-WebSocket-Version` header did not include '13'";
    const expectations: [Record<string, string | undefined>, string][] = [
      [{ Connection: undefined }, "Connection header did not include 'upgrade'"],
      [{ Connection: "close" }, "Connection header did not include 'upgrade'"],
      [{ Upgrade: undefined }, "`Upgrade` header did not include 'websocket'"],
      [{ Upgrade: "h2c" }, "`Upgrade` header did not include 'websocket'"],
      [{ "Sec-WebSocket-Version": undefined }, version],
      [{ "Sec-WebSocket-Version": "8" }, version],
      [{ "Sec-WebSocket-Key": undefined }, "`Sec-WebSocket-Key` header missing"],
    ];
    for (const [change, text] of expectations) {
      const { status, body, headers } = await rawHttp(server.url, { headers: { ...UPGRADE, ...change } });
      expect({ change, status, body }).toEqual({ change, status: 400, body: text });
      expect(headers.get("content-type")).toBe("text/plain; charset=utf-8");
    }
    const bare = await rawHttp(server.url, {});
    expect([bare.status, bare.body]).toEqual([400, "Connection header did not include 'upgrade'"]);
  });

  test("8 other methods on / are answered 405", async () => {
    await using server = await target.serve();
    for (const method of ["POST", "PUT", "DELETE"]) {
      for (const headers of [{}, UPGRADE]) {
        const { status, body } = await rawHttp(server.url, { method, headers });
        expect({ method, status, body }).toEqual({
          method,
          status: 405,
          body: "Request method must be `GET`",
        });
      }
    }
  });

  test("8 a valid upgrade is answered 101, also with keep-alive, a query or an odd key", async () => {
    await using server = await target.serve();
    for (
      const request of [
        { headers: UPGRADE },
        { headers: { ...UPGRADE, Connection: "keep-alive, Upgrade" } },
        { headers: { ...UPGRADE, Upgrade: "WebSocket" } },
        { headers: UPGRADE, path: "/?a=b&c" },
      ]
    ) {
      const { status, headers } = await rawHttp(server.url, request);
      expect({ request, status }).toEqual({ request, status: 101 });
      // The answer RFC 6455 gives to its sample key.
      expect(headers.get("sec-websocket-accept")).toBe("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
  });

  test("9 neither subprotocols nor compression are negotiated", async () => {
    await using server = await target.serve();
    const { status, headers } = await rawHttp(server.url, {
      headers: {
        ...UPGRADE,
        "Sec-WebSocket-Protocol": "codex, json",
        "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits",
      },
    });
    expect(status).toBe(101);
    expect(headers.has("sec-websocket-protocol")).toBe(false);
    expect(headers.has("sec-websocket-extensions")).toBe(false);
  });
});

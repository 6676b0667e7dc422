import { gzipSync } from "node:zlib";
import { expect } from "bun:test";
import { Peer } from "../support/peer.ts";
import { refusedWith } from "../support/peer_files.ts";
import { bodyOf, httpRequest } from "../support/peer_http.ts";
import { OK, respond, webServer } from "../support/web_server.ts";
import { onEachTarget } from "./on_each_target.ts";

onEachTarget(({ target, test }) => {
  const header = (name: string, value: string) => ({ name, value });

  test("fs 55 only accept, host and a length are sent beyond the caller's headers, which keep order and number", async () => {
    await using web = await webServer(() => OK);
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const host = `host: ${new URL(web.url).host}`;
    const headers = [header("X-Two", "2"), header("x-one", "1"), header("X-One", "b"), header("X-Empty", "")];
    await httpRequest(peer, `${web.url}/a?b#c`, { headers });
    const bodyBase64 = Buffer.from("hi").toString("base64");
    await httpRequest(peer, web.url, { method: "Post", headers: [header("Accept", "x")], bodyBase64 });
    await httpRequest(peer, web.url, { method: "POST", headers: [header("Host", "other")], bodyBase64: "" });
    expect(web.seen).toEqual([
      {
        line: "GET /a?b HTTP/1.1",
        headers: ["x-two: 2", "x-one: 1", "x-one: b", "x-empty: ", "accept: */*", host],
        body: "",
      },
      { line: "Post / HTTP/1.1", headers: ["accept: x", host, "content-length: 2"], body: "hi" },
      { line: "POST / HTTP/1.1", headers: ["host: other", "accept: */*"], body: "" },
    ]);
  });

  test("fs 55 what makes no sense is refused, in Codex's order and words", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const whole = { method: "GET", url: "http://127.0.0.1:1/", requestId: "r" };
    const wrong: [object, string][] = [
      [{ method: undefined }, "missing field `method`"],
      [{ requestId: undefined }, "missing field `requestId`"],
      [{ headers: null }, "invalid type: null, expected a sequence"],
      [{ headers: [{ name: "a" }] }, "missing field `value`"],
      [{ headers: [{ name: "a", value: null }] }, "invalid type: null, expected a string"],
      [{ headers: [{ name: "a", value: "b" }, 5] }, "invalid type: number, expected struct HttpHeader"],
      [{ timeoutMs: -1 }, "invalid number"],
      [{ redirectPolicy: "x" }, "unknown variant `x`, expected `follow` or `stop`"],
      [{ streamResponse: null }, "invalid type: null, expected a boolean"],
      [{ bodyBase64: "*" }, "Invalid symbol 42, offset 0."],
      [{ method: "", url: "x" }, "http/request method is invalid: invalid HTTP method"],
      [{ url: "/x" }, "http/request url is invalid: relative URL without a base"],
      [{ url: "ftp://h/x" }, "http/request only supports http and https URLs, got ftp"],
      [{ headers: [header("", "\n")] }, "http/request header name is invalid: invalid HTTP header name"],
      [
        { headers: [header("X-A", "a\nb")] },
        "http/request header value is invalid for X-A: failed to parse header value",
      ],
    ];
    for (const [change, message] of wrong) {
      expect(await refusedWith(peer, "http/request", { ...whole, ...change })).toEqual({
        code: -32602,
        message,
      });
    }
  });

  test("fs 55 a call before initialize is refused by the name of its family", async () => {
    await using server = await target.serve();
    await using peer = await Peer.connect(server.url);
    expect(await refusedWith(peer, "http/request", { method: "", url: "", requestId: "" })).toEqual({
      code: -32600,
      message: "client must call initialize before using http methods",
    });
  });

  test("fs 56 a packed body is given as it came", async () => {
    const packed = gzipSync("hello".repeat(100)).toString("latin1");
    await using web = await webServer(() => respond(packed, ["Content-Encoding: gzip"]));
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const answer = await httpRequest(peer, web.url);
    expect(bodyOf(answer)).toBe(packed);
    expect(answer.headers[0]).toEqual(header("content-encoding", "gzip"));
  });

  test("fs 57 ten redirects are followed and no eleventh", async () => {
    await using web = await webServer(({ line }) => {
      const left = Number(line.split(/[ /]/)[2]);
      return left === 0 ? OK : respond("", [`location: /${left - 1}`], "302 Found");
    });
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    expect(bodyOf(await httpRequest(peer, `${web.url}/10`))).toBe("ok");
    expect(
      await refusedWith(peer, "http/request", { method: "GET", url: `${web.url}/11`, requestId: "r" }),
    ).toEqual({ code: -32603, message: "http/request failed: too many redirects" });
    expect(web.seen).toHaveLength(22);
  });

  test("fs 57 a redirect changes method and body as browsers do, and tells another host no secrets", async () => {
    let status = 302;
    let location = "/end";
    await using web = await webServer(({ line }) =>
      line.includes("/end") ? OK : respond("", [`location: ${location}`], `${status} On`)
    );
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const headers = [
      header("Authorization", "secret"),
      header("Cookie", "secret"),
      header("Content-Type", "a/b"),
    ];
    const ask = async () => {
      const bodyBase64 = Buffer.from("body").toString("base64");
      await httpRequest(peer, `${web.url}/from`, { method: "POST", headers, bodyBase64 });
      return web.seen.at(-1)!;
    };
    const host = `host: ${new URL(web.url).host}`;
    expect(await ask()).toEqual({
      line: "GET /end HTTP/1.1",
      headers: ["authorization: secret", "cookie: secret", `referer: ${web.url}/from`, "accept: */*", host],
      body: "",
    });
    status = 307;
    expect(await ask()).toMatchObject({ line: "POST /end HTTP/1.1", body: "body" });
    location = `${web.otherUrl}/end`;
    expect((await ask()).headers).toEqual([
      "content-type: a/b",
      `referer: ${web.url}/`,
      "accept: */*",
      `host: ${new URL(web.otherUrl).host}`,
      "content-length: 4",
    ]);
    location = "ftp://host/";
    expect(
      await refusedWith(peer, "http/request", { method: "GET", url: web.url, requestId: "r" }),
    ).toEqual({
      code: -32603,
      message: "http/request failed: redirect target uses unsupported URL scheme: ftp",
    });
  });

  test("fs 58 with the policy stop the redirect itself is the answer", async () => {
    await using web = await webServer(() => respond("moved", ["location: /x"], "302 Found"));
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const answer = await httpRequest(peer, web.url, { redirectPolicy: "stop" });
    expect([answer.status, bodyOf(answer), answer.headers[0]]).toEqual([
      302,
      "moved",
      header("location", "/x"),
    ]);
  });

  test("fs 58 a status that says no is an answer like any other", async () => {
    await using web = await webServer(() => respond("no", [], "503 Busy"));
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    expect(await httpRequest(peer, web.url)).toMatchObject({ status: 503, bodyBase64: "bm8=" });
  });

  test("fs 59 timeoutMs counts for the head and for the body", async () => {
    await using web = await webServer(({ line }) =>
      line.includes("/body") ? "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc" : undefined
    );
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const failing = async (path: string, timeoutMs: number) => {
      const url = `${web.url}${path}`;
      const { code, message } = await refusedWith(peer, "http/request", {
        method: "GET",
        url,
        requestId: "r",
        timeoutMs,
      });
      return [code, message.split(":")[0]];
    };
    expect(await failing("/head", 200)).toEqual([-32603, "http/request failed"]);
    expect(await failing("/body", 200)).toEqual([-32603, "failed to read http/request response body"]);
    expect(await failing("/none", 0)).toEqual([-32603, "http/request failed"]);
    await web.allClosed();
  });

  test("fs 64 response header values that are no visible ASCII are dropped, and empty ones kept", async () => {
    const head = ["X-A: 1", "X-Lat: caf\xe9", "X-Empty:", "X-B: two words", "X-B: 3"];
    await using web = await webServer(() => respond("", head));
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    expect((await httpRequest(peer, web.url)).headers).toEqual([
      header("x-a", "1"),
      header("x-empty", ""),
      header("x-b", "two words"),
      header("x-b", "3"),
      header("content-length", "0"),
    ]);
  });

  test("fs 65 a header takes a variable of the server, and no secret of it in any letter case", async () => {
    await using web = await webServer(() => OK);
    await using server = await target.serve({
      env: { PATH: process.env.PATH ?? "", HOME: "/tmp", KEY: "value", EMPTY: "", OPENAI_API_KEY: "secret" },
    });
    await using peer = await Peer.connect(server.url);
    const { environmentInfo } = await peer.initialize();
    expect(environmentInfo).toMatchObject({ capabilities: { httpHeaderEnvVars: true } });
    const headers = (valueEnvVar: string | null) => [{ name: "X-Key", value: "Bearer ", valueEnvVar }];
    await httpRequest(peer, web.url, { headers: headers("KEY") });
    await httpRequest(peer, web.url, { headers: headers(null) });
    expect(web.seen.map((seen) => seen.headers[0])).toEqual(["x-key: Bearer value", "x-key: Bearer "]);
    const refusals: [string, string][] = [
      ["NONE", "requires executor environment variable NONE"],
      ["EMPTY", "requires a non-empty executor environment variable EMPTY"],
      ["OPENAI_API_KEY", "cannot use executor environment variable OPENAI_API_KEY"],
      ["openai_api_Key", "cannot use executor environment variable openai_api_Key"],
      ["codex_access_token", "cannot use executor environment variable codex_access_token"],
    ];
    for (const [name, why] of refusals) {
      const params = { method: "GET", url: web.url, requestId: "r", headers: headers(name) };
      expect(await refusedWith(peer, "http/request", params)).toEqual({
        code: -32602,
        message: `http/request header X-Key ${why}`,
      });
    }
  });
});

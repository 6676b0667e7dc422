import { afterAll, describe, expect, test } from "bun:test";
import type { HttpBody, HttpRequest } from "../../lib/http/http_client.ts";
import { HttpError } from "../../lib/http/http_error.ts";
import { httpTargets } from "../support/http_targets.ts";
import { within } from "../support/peer_deadline.ts";
import { OK, respond, type Seen, webServer } from "../support/web_server.ts";

const opened = new AsyncDisposableStack();
afterAll(() => opened.disposeAsync());

const MIB = 1024 * 1024;
const never = new AbortController().signal;

function request(url: string, change: Partial<HttpRequest> = {}): HttpRequest {
  return {
    method: "GET",
    url,
    headers: [],
    body: new Uint8Array(),
    timeoutMs: null,
    redirects: "follow",
    ...change,
  };
}

const header = (name: string, value: string, valueEnvVar: string | null = null) => ({
  name,
  value,
  valueEnvVar,
});

async function all(body: HttpBody): Promise<string> {
  let text = "";
  for (let bytes; (bytes = await body.take(MIB)) !== null;) text += Buffer.from(bytes).toString("latin1");
  return text;
}

async function failure(doing: Promise<unknown>): Promise<{ code: string; message: string }> {
  try {
    await within(doing, "a failure");
  } catch (error) {
    if (error instanceof HttpError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error("It did not fail");
}

describe.each(httpTargets(opened))("the $name HTTP client", ({ make, canEnd }) => {
  const client = make({});

  test("sends the caller's headers in their order, and beyond them only what HTTP needs", async () => {
    await using server = await webServer(() => OK);
    const headers = [
      header("X-One", "1"),
      header("Accept", "a/b"),
      header("X-Two", ""),
      header("X-One", "é"),
    ];
    const { status, body } = await client.send(request(`${server.url}/a%20b?c#d`, { headers }), never);
    expect([status, await all(body)]).toEqual([200, "ok"]);
    expect(server.seen).toEqual([{
      line: "GET /a%20b?c HTTP/1.1",
      headers: [
        "x-one: 1",
        "accept: a/b",
        "x-two: ",
        "x-one: \u00c3\u00a9",
        `host: ${new URL(server.url).host}`,
      ],
      body: "",
    }]);
  });

  test("sends a body with its length, with any method, or in chunks where the caller says so", async () => {
    await using server = await webServer(() => OK);
    const body = Buffer.from("hello");
    await client.send(request(server.url, { body }), never);
    const headers = [header("Transfer-Encoding", "chunked")];
    await client.send(request(server.url, { method: "PATCH", body, headers }), never);
    await client.send(request(server.url, { method: "POST" }), never);
    const host = `host: ${new URL(server.url).host}`;
    expect(server.seen).toEqual([
      { line: "GET / HTTP/1.1", headers: ["accept: */*", host, "content-length: 5"], body: "hello" },
      {
        line: "PATCH / HTTP/1.1",
        headers: ["transfer-encoding: chunked", "accept: */*", host],
        body: "5\r\nhello\r\n0\r\n\r\n",
      },
      { line: "POST / HTTP/1.1", headers: ["accept: */*", host], body: "" },
    ]);
  });

  test("refuses a request that would say something else than the caller meant, before it connects", async () => {
    await using server = await webServer(() => OK);
    const wrong: [Partial<HttpRequest>, string][] = [
      [{ method: "GET / HTTP/1.1\r\nx: y\r\n\r\nGET" }, "method is invalid: invalid HTTP method"],
      [{ headers: [header("a\r\nb", "")] }, "header name is invalid: invalid HTTP header name"],
      [
        { headers: [header("a", "b\r\nc: d")] },
        "header value is invalid for a: failed to parse header value",
      ],
      [
        { headers: [header("Content-Length", "3")], body: Buffer.from("12345") },
        "header value is invalid for content-length: the body has 5 bytes",
      ],
      [
        { headers: [header("Transfer-Encoding", "chunked"), header("Content-Length", "0")] },
        "header value is invalid for transfer-encoding: only chunked, alone, can be sent",
      ],
    ];
    for (const [change, message] of wrong) {
      expect(await failure(client.send(request(server.url, change), never))).toEqual({
        code: "invalid",
        message,
      });
    }
    expect(server.seen).toEqual([]);
  });

  test.each([
    ["/x", "url is invalid: relative URL without a base"],
    ["", "url is invalid: relative URL without a base"],
    ["http://", "url is invalid: empty host"],
    ["http://user@/x", "url is invalid: empty host"],
    ["http://h:99999/", "url is invalid: invalid port number"],
    ["http://h:x/", "url is invalid: invalid port number"],
    ["http://[::1", "url is invalid: invalid IPv6 address"],
    ["http://1.2.3.4.5.6/x", "url is invalid: invalid IPv4 address"],
    ["http://a b/", "url is invalid: invalid international domain name"],
    ["http://%/", "url is invalid: invalid international domain name"],
    ["ftp://h/x", "only supports http and https URLs, got ftp"],
    ["FILE:///x", "only supports http and https URLs, got file"],
  ])("refuses the URL %p", async (url, message) => {
    expect(await failure(client.send(request(url), never))).toEqual({ code: "invalid", message });
  });

  test("takes user and password of a URL for Basic authentication, and tells neither when it fails", async () => {
    await using server = await webServer(() => OK);
    const withUser = server.url.replace("//", "//us%40er:p%3Aw@");
    await client.send(request(withUser), never);
    expect(server.seen[0]!.headers[0]).toBe(`authorization: Basic ${btoa("us@er:p:w")}`);
    const { message } = await failure(client.send(request(withUser, { timeoutMs: 0 }), never));
    expect(message).toStartWith(`error sending request for url (${server.url}/)`);
    expect(message).not.toContain("p%3Aw");
  });

  test("adds a variable of its environment to a header, and neither secrets nor what is not there", async () => {
    await using server = await webServer(() => OK);
    const own = make({ KEY: "k e y", EMPTY: "", BROKEN: "a\nb", OPENAI_API_KEY: "secret" });
    const ask = (name: string) =>
      own.send(request(server.url, { headers: [header("X-Key", "Bearer ", name)] }), never);
    await ask("KEY");
    expect(server.seen[0]!.headers[0]).toBe("x-key: Bearer k e y");
    const refusals = ["NONE", "EMPTY", "BROKEN", "OPENAI_API_KEY", "openai_Api_Key", "AWS_SESSION_TOKEN"];
    const refused = await Promise.all(refusals.map((name) => failure(ask(name))));
    expect(refused.map(({ message }) => message)).toEqual([
      "header X-Key requires executor environment variable NONE",
      "header X-Key requires a non-empty executor environment variable EMPTY",
      "header value is invalid for X-Key: failed to parse header value",
      "header X-Key cannot use executor environment variable OPENAI_API_KEY",
      "header X-Key cannot use executor environment variable openai_Api_Key",
      "header X-Key cannot use executor environment variable AWS_SESSION_TOKEN",
    ]);
    expect(server.seen).toHaveLength(1);
  });

  test("keeps response headers in order and repeated, and drops values that are no visible ASCII", async () => {
    const head = ["X-B: 1", "x-a:  two  ", "X-Lat: caf\xe9", "X-Empty:", "X-B: 3", "X-Tab: a\tb"];
    await using server = await webServer(() => respond("", head));
    const { headers } = await client.send(request(server.url), never);
    expect(headers.map(({ name, value }) => `${name}=${value}`)).toEqual([
      "x-b=1",
      "x-a=two",
      "x-empty=",
      "x-b=3",
      "x-tab=a\tb",
      "content-length=0",
    ]);
  });

  const bodies: [string, string, string, boolean][] = [
    ["a length", "content-length: 3\r\n\r\nabcEXTRA", "abc", false],
    [
      "chunks",
      "transfer-encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nt: 1\r\n\r\n",
      "abc0123456789",
      false,
    ],
    [
      "chunks before a length",
      "content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
      "a",
      false,
    ],
    ["the end of the connection", "\r\nabc", "abc", true],
    ["a bare line feed", "content-length: 1\n\na", "a", false],
  ];
  test.each(bodies)(
    "reads a body that ends by %s, in whatever pieces it comes",
    async (_, response, expected, ends) => {
      for (const size of [1, 2, 7, 1000]) {
        await using server = await webServer((_, socket) => {
          socket.setNoDelay(true);
          const bytes = Buffer.from(`HTTP/1.1 200 OK\r\n${response}`, "latin1");
          for (let at = 0; at < bytes.length; at += size) socket.write(bytes.subarray(at, at + size));
          if (ends) socket.end();
        });
        const { body } = await client.send(request(server.url), never);
        expect(await within(all(body), "the body")).toBe(expected);
      }
    },
  );

  test("passes over interim responses, and knows responses that have no body", async () => {
    const answers: Record<string, string> = {
      "/interim": `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nlink: x\r\n\r\n${OK}`,
      "/204": "HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\n",
      "/304": "HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n",
      "/head": "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n",
    };
    await using server = await webServer(({ line }) => answers[line.split(" ")[1]!]);
    const ask = async (path: string, method = "GET") => {
      const { status, body } = await client.send(request(server.url + path, { method }), never);
      return [status, await within(all(body), "the body")];
    };
    expect(await ask("/interim")).toEqual([200, "ok"]);
    expect(await ask("/204")).toEqual([204, ""]);
    expect(await ask("/304")).toEqual([304, ""]);
    expect(await ask("/head", "HEAD")).toEqual([200, ""]);
  });

  test.each([
    ["nothing", "", "the server hung up without a response"],
    ["half a head", "HTTP/1.1 200 OK\r\nx: ", "the response broke off"],
    ["another protocol", "220 ftp.example ready\r\n\r\n", "the response is no HTTP/1.1"],
    ["a space before a colon", "HTTP/1.1 200 OK\r\nx : 1\r\n\r\n", "the response has a malformed header"],
    ["a folded header", "HTTP/1.1 200 OK\r\nx: 1\r\n y\r\n\r\n", "the response has a malformed header"],
    [
      "two lengths",
      "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
      "the response has a malformed content-length",
    ],
    [
      "endless headers",
      `HTTP/1.1 200 OK\r\n${"x: y\r\n".repeat(1001)}\r\n`,
      "the response has more than 1000 headers",
    ],
    [
      "an endless header",
      `HTTP/1.1 200 OK\r\nx: ${"y".repeat(600_000)}`,
      "the response head exceeds 524288 bytes",
    ],
  ])("fails on a response that is %s", async (_, response, reason) => {
    await using server = await webServer((_, socket) => void socket.end(Buffer.from(response, "latin1")));
    expect(await failure(client.send(request(server.url), never))).toEqual({
      code: "failed",
      message: `error sending request for url (${server.url}/): ${reason}`,
    });
    await server.allClosed();
  });

  test.each([
    ["a length", "content-length: 9\r\n\r\nabc"],
    ["chunks", "transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n"],
    ["a broken chunk", "transfer-encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n"],
  ])("gives what came of a body before it breaks off, with %s", async (_, response) => {
    await using server = await webServer((_, socket) => void socket.end(`HTTP/1.1 200 OK\r\n${response}`));
    const { body } = await client.send(request(server.url), never);
    expect(Buffer.from((await body.take(MIB))!).toString()).toBe("abc");
    const { code, message } = await failure(body.take(MIB));
    expect([code, message.slice(0, 29)]).toEqual(["body", "error decoding response body:"]);
    await server.allClosed();
  });

  test("follows ten redirects and no eleventh", async () => {
    await using server = await webServer(({ line }) => {
      const left = Number(line.split(/[ /]/)[2]);
      return left === 0 ? OK : respond("", [`location: /${left - 1}`], "302 Found");
    });
    expect(await all((await client.send(request(`${server.url}/10`), never)).body)).toBe("ok");
    expect(server.seen).toHaveLength(11);
    expect(await failure(client.send(request(`${server.url}/11`), never))).toEqual({
      code: "failed",
      message: "too many redirects",
    });
    expect(server.seen).toHaveLength(22);
  });

  test.each([
    [301, "POST", "GET", ""],
    [302, "POST", "GET", ""],
    [303, "POST", "GET", ""],
    [303, "DELETE", "GET", ""],
    [303, "HEAD", "HEAD", ""],
    [301, "PUT", "PUT", "body"],
    [302, "DELETE", "DELETE", "body"],
    [307, "POST", "POST", "body"],
    [308, "POST", "POST", "body"],
  ])("a %d after %s goes on as %s", async (status, method, next, body) => {
    await using server = await webServer(({ line }) =>
      line.includes("/end") ? respond("") : respond("", ["location: end"], `${status} On`)
    );
    const headers = [header("Content-Type", "text/x"), header("X", "1"), header("Referer", "old")];
    await client.send(
      request(`${server.url}/a/b?c#d`, { method, headers, body: Buffer.from("body") }),
      never,
    );
    const second = server.seen[1]!;
    expect([second.line, second.body]).toEqual([`${next} /a/end HTTP/1.1`, body]);
    expect(second.headers.filter((line) => /^(?:content-type|x|referer):/.test(line))).toEqual([
      ...(body === "" ? [] : ["content-type: text/x"]),
      "x: 1",
      `referer: ${server.url}/a/b?c`,
    ]);
  });

  test("tells another host neither who the caller is nor where he comes from", async () => {
    await using server = await webServer((seen) =>
      seen.line.includes("/end") ? OK : respond("", [`location: ${server.otherUrl}/end`], "307 On")
    );
    const secret = ["Authorization", "Cookie", "Proxy-Authorization", "WWW-Authenticate"];
    const headers = [...secret.map((name) => header(name, "secret")), header("X", "1")];
    await client.send(request(`${server.url}/page?token=secret`, { headers }), never);
    await client.send(request(server.url.replace("//", "//user:secret@")), never);
    const kept = [`referer: ${server.url}/`, "accept: */*", `host: ${new URL(server.otherUrl).host}`];
    expect(server.seen[1]!.headers).toEqual(["x: 1", ...kept]);
    expect(server.seen[3]!.headers).toEqual(kept);
  });

  test("answers a redirect that it may not follow, or that leads nowhere, and refuses to leave HTTP", async () => {
    let location: string[] = [];
    await using server = await webServer(() => respond("moved", location, "302 Found"));
    const ask = async (to: string[], change: Partial<HttpRequest> = {}) => {
      location = to;
      const { status, body } = await client.send(request(server.url, change), never);
      return [status, await all(body)];
    };
    expect(await ask(["location: /"], { redirects: "stop" })).toEqual([302, "moved"]);
    expect(await ask([])).toEqual([302, "moved"]);
    expect(await ask(["location: http://[bad"])).toEqual([302, "moved"]);
    expect(await failure(ask(["location: ftp://host/"]))).toEqual({
      code: "failed",
      message: "redirect target uses unsupported URL scheme: ftp",
    });
  });

  test("the deadline counts for the head, for redirects and for the body", async () => {
    await using server = await webServer(({ line }) => {
      if (line.includes("/body")) return "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc";
      if (line.includes("/redirect")) return respond("", ["location: /head"], "302 Found");
    });
    const timeoutMs = 60;
    for (const path of ["/head", "/redirect"]) {
      expect(await failure(client.send(request(server.url + path, { timeoutMs }), never))).toEqual({
        code: "failed",
        message: `error sending request for url (${server.url}/head): timed out after 60 ms`,
      });
    }
    const { body } = await client.send(request(`${server.url}/body`, { timeoutMs }), never);
    expect(await failure(all(body))).toEqual({
      code: "body",
      message: "error decoding response body: timed out after 60 ms",
    });
    await server.allClosed();
  });

  test("ends at once when given up or dropped, whatever it is waiting for, and its connection where that can be", async () => {
    await using server = await webServer(({ line }) =>
      line.includes("/body") ? "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc" : undefined
    );
    for (const path of ["/head", "/body"]) {
      const controller = new AbortController();
      const seen = server.seen.length;
      const sent = client.send(request(server.url + path), controller.signal);
      const ended = failure(sent.then(({ body }) => all(body)));
      while (server.seen.length === seen) await Bun.sleep(1);
      if (path === "/body") await sent;
      controller.abort();
      expect((await ended).code).toBe(path === "/body" ? "body" : "failed");
      if (canEnd) await server.allClosed();
    }
    const { body } = await client.send(request(`${server.url}/body`), never);
    body.drop();
    if (canEnd) await server.allClosed();
  });

  test("a connection that is refused is said so, with its place", async () => {
    const gone = await webServer(() => OK);
    await gone[Symbol.asyncDispose]();
    expect(await failure(client.send(request(gone.url), never))).toEqual({
      code: "failed",
      message: `error sending request for url (${gone.url}/): Connection refused (os error 111)`,
    });
  });

  test("the answer to an upload counts, also when the server does not want all of it", async () => {
    const big = Buffer.alloc(8 * MIB);
    const server = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        open(socket) {
          socket.end(respond("no", [], "413 Too Large"));
        },
        data() {},
      },
    });
    try {
      const url = `http://127.0.0.1:${server.port}`;
      const { status, body } = await client.send(request(url, { method: "POST", body: big }), never);
      expect([status, await all(body)]).toEqual([413, "no"]);
    } finally {
      server.stop(true);
    }
  });

  test("a server that sends more than is taken is held back", async () => {
    const total = 64 * MIB;
    let sent = 0;
    await using server = await webServer((_, socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${total}\r\n\r\n`);
      const piece = Buffer.alloc(64 * 1024);
      const go = () => {
        while (sent < total) {
          sent += piece.length;
          if (!socket.write(piece)) return;
        }
      };
      socket.on("drain", go);
      go();
    });
    const { body } = await client.send(request(server.url), never);
    await body.take(1);
    // Stands still when everything between is full, the system's own buffers included.
    for (let before = -1; before !== sent;) {
      before = sent;
      await Bun.sleep(50);
    }
    // The system's buffers grow to 6 MiB and more at each of up to three sockets on the way.
    expect(sent).toBeLessThan(48 * MIB);
    let left = total - 1;
    for (let bytes; (bytes = await body.take(MIB)) !== null;) left -= bytes.length;
    expect([left, sent]).toEqual([0, total]);
  });

  test("goes through the proxy that its environment names, and around it where it says so", async () => {
    await using proxy = await webServer(({ line }: Seen) =>
      line.startsWith("CONNECT") ? respond("", [], "407 Who") : respond("by proxy")
    );
    await using server = await webServer(() => OK);
    const through = async (environment: Record<string, string>, url: string) =>
      await all((await make(environment).send(request(url), never)).body);
    const address = new URL(proxy.url).host;
    expect(await through({ HTTP_PROXY: `http://u:p@${address}` }, "http://host.test:81/x?y")).toBe(
      "by proxy",
    );
    expect(proxy.seen[0]).toEqual({
      line: "GET http://host.test:81/x?y HTTP/1.1",
      headers: ["accept: */*", `proxy-authorization: Basic ${btoa("u:p")}`, "host: host.test:81"],
      body: "",
    });
    expect(await through({ all_proxy: address }, "http://host.test/")).toBe("by proxy");
    const except = { http_proxy: proxy.url, NO_PROXY: "host.test, 127.0.0.0/8" };
    expect(await through(except, server.url)).toBe("ok");
    expect(await through({ ...except, REQUEST_METHOD: "GET" }, server.url)).toBe("ok");
    const secure = await failure(through({ HTTPS_PROXY: `http://u:p@${address}` }, "https://host.test/"));
    expect(secure.message).toEndWith("the proxy refused with status 407");
    expect(proxy.seen.at(-1)).toEqual({
      line: "CONNECT host.test:443 HTTP/1.1",
      headers: ["host: host.test:443", `proxy-authorization: Basic ${btoa("u:p")}`],
      body: "",
    });
    const socks = await failure(through({ HTTP_PROXY: "socks5://u:secret@h" }, server.url));
    expect(socks.message).toBe("Cannot use the proxy of the environment: socks5 is not supported");
  });
});

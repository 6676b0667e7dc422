import { describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "@std/path";
import { dialWebSocket } from "../../lib/client/dial.ts";
import { RemoteClient } from "../../lib/client/remote_client.ts";
import type { HttpRequest } from "../../lib/http/http_client.ts";
import { HttpError } from "../../lib/http/http_error.ts";
import { within } from "../support/peer_deadline.ts";
import { CODEX_VERSIONS, findCodex } from "../support/real_codex.ts";
import { spawnServer } from "../support/target_process.ts";
import { respond, webServer } from "../support/web_server.ts";

// Our client's requests through a real Codex server. Its texts are its own; what they mean is the same.

const MIB = 1024 * 1024;
const never = new AbortController().signal;

function request(url: string, change: Partial<HttpRequest> = {}): HttpRequest {
  const body = new Uint8Array();
  return { method: "GET", url, headers: [], body, timeoutMs: null, redirects: "follow", ...change };
}

async function failure(doing: Promise<unknown>): Promise<HttpError> {
  const error = await within(doing.then(() => null, (error: unknown) => error), "a failure");
  if (error instanceof HttpError) return error;
  throw error ?? new Error("It did not fail");
}

for (const version of CODEX_VERSIONS) {
  const codex = await findCodex(version);
  if (!codex.found) console.warn(`contract: ${codex.reason}`);

  describe.skipIf(!codex.found)(`requests through codex ${version}`, () => {
    async function open(stack: AsyncDisposableStack) {
      if (!codex.found) throw new Error(codex.reason);
      const home = await mkdtemp(join(tmpdir(), "contract-"));
      stack.defer(() => rm(home, { recursive: true, force: true }));
      const env = { PATH: process.env["PATH"] ?? "", HOME: home, CODEX_HOME: home, KEY: "key" };
      const argv = [codex.binary, "exec-server", "--listen", "ws://127.0.0.1:0"];
      const server = stack.use(await spawnServer(argv, env));
      const dial = dialWebSocket({ url: server.url });
      const client = stack.use(await RemoteClient.connect({ dial, clientName: "tests", reconnects: true }));
      return await client.http();
    }

    test("a body comes whole, and headers as often as they were there", async () => {
      await using stack = new AsyncDisposableStack();
      const http = await open(stack);
      const size = 9_000_001;
      await using web = await webServer(() => respond("x".repeat(size), ["b: 1", "a: 2", "b: 3"]));
      const headers = [{ name: "x", value: "1", valueEnvVar: null }, {
        name: "x",
        value: "2",
        valueEnvVar: null,
      }];
      const sent = request(`${web.url}/y`, { method: "PUT", headers, body: Buffer.from("hello") });
      const { status, headers: got, body } = await http.send(sent, never);
      let left = size;
      for (let bytes; (bytes = await within(body.take(MIB), "the body")) !== null;) left -= bytes.length;
      expect([status, left]).toEqual([200, 0]);
      expect(got.map(({ name, value }) => `${name}=${value}`)).toEqual([
        // Codex puts those of one name together.
        "b=1",
        "b=3",
        "a=2",
        `content-length=${size}`,
      ]);
      expect(web.seen[0]).toMatchObject({ line: "PUT /y HTTP/1.1", body: "hello" });
      expect(web.seen[0]!.headers.slice(0, 2)).toEqual(["x: 1", "x: 2"]);
    });

    test("what fails is told by its kind", async () => {
      await using stack = new AsyncDisposableStack();
      const http = await open(stack);
      expect(await failure(http.send(request("ftp://host/"), never))).toMatchObject({
        code: "invalid",
        message: "only supports http and https URLs, got ftp",
      });
      const refused = await failure(http.send(request("http://127.0.0.1:1/"), never));
      expect(refused.code).toBe("failed");
      expect(refused.message).toStartWith("error sending request for url (http://127.0.0.1:1/)");
      await using web = await webServer((_, socket) => {
        socket.write(
          "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc",
          () => setImmediate(() => socket.destroy()),
        );
      });
      const { body } = await http.send(request(web.url), never);
      const rest = async () => {
        while (await body.take(MIB) !== null);
      };
      expect((await failure(rest())).code).toBe("body");
    });

    test("a variable of the server is used, or refused where it would be left out without a word", async () => {
      await using stack = new AsyncDisposableStack();
      const http = await open(stack);
      await using web = await webServer(() => respond("ok"));
      const headers = [{ name: "x", value: "a ", valueEnvVar: "KEY" }];
      const sent = http.send(request(web.url, { headers }), never);
      if (version === "0.145.0") {
        expect((await failure(sent)).code).toBe("invalid");
        expect(web.seen).toHaveLength(0);
      } else {
        (await sent).body.drop();
        expect(web.seen[0]!.headers).toContain("x: a key");
      }
    });
  });
}

import { readFileSync } from "node:fs";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import { join } from "@std/path";
import { describe, expect, test } from "bun:test";
import { systemClock } from "../../lib/base/clock.ts";
import type { HttpClient } from "../../lib/http/http_client.ts";
import { LocalHttpClient } from "../../lib/http/local/local_http_client.ts";
import { Outbox } from "../../lib/rpc/outbox.ts";
import { ConnectionHttp } from "../../lib/server/connection_http.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { ManualTransport } from "../support/manual_transport.ts";
import { untilTrue, within } from "../support/peer_deadline.ts";
import { OK, respond, webServer } from "../support/web_server.ts";

const FIXTURES = join(import.meta.dir, "../support/fixtures");
const never = new AbortController().signal;

function request(url: string) {
  const redirects = "follow" as const;
  return { method: "GET", url, headers: [], body: new Uint8Array(), timeoutMs: null, redirects };
}

async function ask(client: HttpClient, url: string): Promise<void> {
  const { body } = await client.send(request(url), never);
  while (await body.take(65_536) !== null);
}

describe("an idle connection to a web server", () => {
  test.each([
    ["4 s", [], 4_000],
    ["a second less than the server says, where that is shorter", ["Keep-Alive: max=5, Timeout=3"], 2_000],
    ["4 s where the server says more", ["Keep-Alive: timeout=60"], 4_000],
  ])("is kept for %s", async (_, head, ms) => {
    await using web = await webServer(() => respond("ok", head));
    const clock = new ManualClock();
    const client = new LocalHttpClient(clock, {});
    await ask(client, web.url);
    await clock.advance(ms - 1);
    await ask(client, web.url); // counts anew from here
    await clock.advance(ms - 1);
    expect([web.seen.length, web.connections.size]).toEqual([2, 1]);
    await clock.advance(1);
    await web.allClosed();
    expect(clock.pending).toBe(0);
  });

  test("is one of four to one place and of sixteen in all; those that rest longest go first", async () => {
    let hold = 0;
    const held: (() => void)[] = [];
    const respondTogether = () => {
      if (held.length === hold) { for (const answer of held.splice(0)) answer(); }
    };
    await using stack = new AsyncDisposableStack();
    const open = async () =>
      stack.use(
        await webServer((_, socket) => {
          held.push(() => socket.write(OK));
          respondTogether();
        }),
      );
    const client = new LocalHttpClient(new ManualClock(), {});
    const askAtOnce = async (url: string, times: number) => {
      hold = times;
      await Promise.all(Array.from({ length: times }, () => ask(client, url)));
    };
    const first = await open();
    await askAtOnce(first.url, 6);
    await untilTrue(() => first.connections.size === 4, "the end of two");
    for (let place = 0; place < 3; place++) await askAtOnce((await open()).url, 4);
    expect(first.connections.size).toBe(4);
    await askAtOnce((await open()).url, 3);
    await untilTrue(() => first.connections.size === 1, "the end of those that rested longest");
  });

  test("ends with what it belongs to, the connection of a client to us", async () => {
    await using web = await webServer(() => OK);
    const gone = new AbortController();
    const http = new ConnectionHttp(new Outbox(new ManualTransport()), systemClock, gone.signal);
    await http.whole(await http.send(request(web.url)));
    await http.whole(await http.send(request(web.url)));
    expect(web.connections.size).toBe(1);
    gone.abort();
    await web.allClosed();
  });

  test("is no other client's", async () => {
    await using web = await webServer(() => OK);
    for (let i = 1; i <= 2; i++) {
      await ask(new LocalHttpClient(new ManualClock(), {}), web.url);
      expect(web.connections.size).toBe(i);
    }
  });

  test("keeps no program alive, and is used again, with and without TLS", async () => {
    const sockets = new Set<TLSSocket>();
    const files = { key: `${FIXTURES}/web/key.pem`, cert: `${FIXTURES}/web/certificate.pem` };
    const secured = createTlsServer(
      { key: readFileSync(files.key), cert: readFileSync(files.cert) },
      (socket) => {
        sockets.add(socket);
        socket.on("data", () => socket.write(OK));
        socket.on("error", () => {});
      },
    );
    await new Promise<void>((resolve) => secured.listen(0, "127.0.0.1", resolve));
    await using web = await webServer(() => OK);
    try {
      const address = secured.address();
      const port = typeof address === "object" ? address?.port : null;
      for (const url of [web.url, `https://localhost:${port}`]) {
        await using program = Bun.spawn([process.execPath, `${FIXTURES}/ask_and_end.ts`, url], {
          env: { ...process.env, SSL_CERT_FILE: `${FIXTURES}/web/authority.pem` },
          stdout: "pipe",
        });
        expect(await within(program.stdout.text(), "what came")).toBe("okok");
        expect(await within(program.exited, "the end of the program")).toBe(0);
      }
      expect(sockets.size).toBe(1);
    } finally {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => secured.close(() => resolve()));
    }
  });
});

import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { join } from "@std/path";
import { expect } from "bun:test";
import { Peer } from "../support/peer.ts";
import { refusedWith } from "../support/peer_files.ts";
import { bodyOf, httpRequest } from "../support/peer_http.ts";
import { OK, webServer } from "../support/web_server.ts";
import { onEachTarget } from "./on_each_target.ts";

const FILES = join(import.meta.dir, "../support/fixtures/web");

/** What stands before a plain server and speaks TLS: `localhost` by a certificate of the test's own authority. */
async function tlsFront(plainUrl: string) {
  const files = { key: readFileSync(`${FILES}/key.pem`), cert: readFileSync(`${FILES}/certificate.pem`) };
  const server = createTlsServer(
    files,
    (secured) => joinUp(secured, connect(Number(new URL(plainUrl).port), "127.0.0.1")),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server has no port");
  return {
    port: address.port,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

function joinUp(one: Socket, other: Socket): void {
  for (const [from, to] of [[one, other], [other, one]] as const) {
    from.on("error", () => to.destroy());
    from.on("close", () => to.destroy());
    from.pipe(to);
  }
}

onEachTarget(({ target, test }) => {
  const environment = { PATH: process.env["PATH"] ?? "", HOME: "/tmp" };
  const trusting = { ...environment, SSL_CERT_FILE: `${FILES}/authority.pem` };

  test("fs 55 a server is believed by a certificate for its name, of an authority that the system trusts", async () => {
    await using web = await webServer(() => OK);
    await using front = await tlsFront(web.url);
    await using server = await target.serve({ env: trusting });
    await using peer = await Peer.ready(server.url);
    for (const host of ["localhost", "127.0.0.1"]) {
      const answer = await httpRequest(peer, `https://${host}:${front.port}/`);
      expect([answer.status, bodyOf(answer)]).toEqual([200, "ok"]);
    }
    expect(web.seen[0]!.headers).toEqual(["accept: */*", `host: localhost:${front.port}`]);
    const wrong = { method: "GET", url: `https://127.0.0.2:${front.port}/`, requestId: "r" };
    const { code, message } = await refusedWith(peer, "http/request", wrong);
    expect([code, message.split(" (")[0]]).toEqual([
      -32603,
      "http/request failed: error sending request for url",
    ]);
    expect(web.seen).toHaveLength(2);
  });

  test("fs 55 an unknown authority is believed by nobody", async () => {
    await using web = await webServer(() => OK);
    await using front = await tlsFront(web.url);
    await using server = await target.serve({ env: environment });
    await using peer = await Peer.ready(server.url);
    const params = { method: "GET", url: `https://localhost:${front.port}/`, requestId: "r" };
    expect((await refusedWith(peer, "http/request", params)).code).toBe(-32603);
    expect(web.seen).toEqual([]);
  });

  test("fs 55 a proxy carries TLS that it does not see into", async () => {
    const asked: string[] = [];
    await using web = await webServer(() => OK);
    await using front = await tlsFront(web.url);
    await using proxy = await webServer(({ line }, socket) => {
      asked.push(line);
      socket.removeAllListeners("data");
      joinUp(socket, connect(front.port, "127.0.0.1"));
      return "HTTP/1.1 200 Connected\r\n\r\n";
    });
    await using server = await target.serve({ env: { ...trusting, HTTPS_PROXY: proxy.url } });
    await using peer = await Peer.ready(server.url);
    expect(bodyOf(await httpRequest(peer, "https://localhost:81/x"))).toBe("ok");
    expect(asked).toEqual(["CONNECT localhost:81 HTTP/1.1"]);
    expect(web.seen[0]).toEqual({
      line: "GET /x HTTP/1.1",
      headers: ["accept: */*", "host: localhost:81"],
      body: "",
    });
  });
});

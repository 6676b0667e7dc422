import type { Socket } from "node:net";
import { expect } from "bun:test";
import { Peer } from "../support/peer.ts";
import { within } from "../support/peer_deadline.ts";
import { refusedWith } from "../support/peer_files.ts";
import { bodyOf, deltasOf, httpRequest, streamedBody, textOf } from "../support/peer_http.ts";
import { OK, respond, webServer } from "../support/web_server.ts";
import { onEachTarget } from "./on_each_target.ts";

const MIB = 1024 * 1024;

onEachTarget(({ target, test }) => {
  const stream = { streamResponse: true };

  test("fs 60 the answer comes before the first piece, pieces are numbered from 1, and one last says done", async () => {
    const size = 5 * MIB + 7;
    const body = Buffer.alloc(size, "0123456789").toString("latin1");
    await using web = await webServer(() => respond(body));
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const answer = await httpRequest(peer, web.url, { ...stream, requestId: 'a "quoted" id' });
    expect(answer).toEqual({
      status: 200,
      headers: [{ name: "content-length", value: String(size) }],
      bodyBase64: "",
    });
    const deltas = await streamedBody(peer, 'a "quoted" id');
    const first = peer.messages.findIndex(({ method }) => method === "http/request/bodyDelta");
    const answered = peer.messages.findIndex(({ result }) =>
      result !== undefined && "status" in (result as object)
    );
    expect(answered).toBeLessThan(first);
    expect(deltas.map(({ seq }) => seq)).toEqual(deltas.map((_, index) => index + 1));
    expect(deltas.at(-1)).toMatchObject({ deltaBase64: "", done: true, error: null });
    for (const { deltaBase64, done, error } of deltas.slice(0, -1)) {
      expect([done, error]).toEqual([false, null]);
      expect(Buffer.from(deltaBase64, "base64").length).toBeWithin(1, MIB + 1);
    }
    expect(textOf(deltas) === body).toBe(true);
  });

  test("fs 60 an empty body is only the last piece", async () => {
    await using web = await webServer(() => respond(""));
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    await httpRequest(peer, web.url, stream);
    expect(await streamedBody(peer, "r")).toEqual([
      { requestId: "r", seq: 1, deltaBase64: "", done: true, error: null },
    ]);
  });

  test("fs 60 what comes in small pieces arrives while more is still to come", async () => {
    let upstream: Socket | undefined;
    await using web = await webServer((_, socket) => {
      upstream = socket;
      return "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n";
    });
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    await httpRequest(peer, web.url, stream);
    const arrives = (text: string) => peer.waitUntil(() => textOf(deltasOf(peer, "r")) === text, text);
    await arrives("one");
    upstream!.write("3\r\ntwo\r\n");
    await arrives("onetwo");
    upstream!.write("5\r\nthree\r\n0\r\n\r\n");
    expect(textOf(await streamedBody(peer, "r"))).toBe("onetwothree");
  });

  test("fs 61 an active id is refused for another stream, and free again after the end or a failed start", async () => {
    let answer: string | undefined = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nabc";
    let upstream: Socket | undefined;
    await using web = await webServer((_, socket) => {
      upstream ??= socket;
      if (answer === undefined) socket.end();
      return answer;
    });
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    await httpRequest(peer, web.url, stream);
    const again = { method: "GET", url: web.url, requestId: "r", ...stream };
    const message = "http/request streamResponse requestId `r` is already active";
    expect(await refusedWith(peer, "http/request", again)).toEqual({ code: -32602, message });
    answer = OK;
    expect(bodyOf(await httpRequest(peer, web.url))).toBe("ok");
    upstream!.write("def");
    expect(textOf(await streamedBody(peer, "r"))).toBe("abcdef");
    answer = undefined;
    expect((await refusedWith(peer, "http/request", again)).code).toBe(-32603);
    answer = OK;
    await httpRequest(peer, web.url, stream);
    await peer.waitUntil(() => deltasOf(peer, "r").filter(({ done }) => done).length === 2, "a second end");
  });

  test("fs 62 a body that breaks off ends with an error after what came of it", async () => {
    await using web = await webServer((_, socket) => {
      socket.end("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc");
    });
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    await httpRequest(peer, web.url, stream);
    const deltas = await streamedBody(peer, "r");
    expect(textOf(deltas)).toBe("abc");
    expect(deltas.at(-1)).toMatchObject({ seq: deltas.length, deltaBase64: "", done: true });
    expect(deltas.at(-1)!.error).toStartWith("error decoding response body");
  });

  test("fs 62 the time of a request counts for its stream too", async () => {
    await using web = await webServer(() => "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc");
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    await httpRequest(peer, web.url, { ...stream, timeoutMs: 300 });
    expect((await streamedBody(peer, "r")).at(-1)!.error).toStartWith("error decoding response body");
    await web.allClosed();
  });

  test("fs 63 connections to web servers end with that of the client", async () => {
    await using web = await webServer(({ line }) =>
      line.includes("/stream") ? "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc" : undefined
    );
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    await httpRequest(peer, `${web.url}/stream`, stream);
    httpRequest(peer, `${web.url}/whole`).catch(() => {}); // there is nobody to answer to
    while (web.seen.length < 2) await Bun.sleep(2);
    expect(web.connections.size).toBe(2);
    await peer.hangUp();
    await web.allClosed();
  });

  test("fs 63 a stream does not come back with its session", async () => {
    await using web = await webServer(() => "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc");
    await using server = await target.serve();
    const first = await Peer.connect(server.url);
    const { sessionId } = await first.initialize();
    await httpRequest(first, web.url, stream);
    await first.hangUp();
    await web.allClosed();
    await server.settle();
    await using peer = await Peer.connect(server.url);
    await peer.initialize(sessionId);
    await httpRequest(peer, web.url, { ...stream, timeoutMs: 200 });
    expect((await streamedBody(peer, "r"))[0]!.seq).toBe(1);
  });

  test("fs 60 nothing is read far ahead of a client that takes nothing", async () => {
    const total = 256 * MIB;
    let sent = 0;
    await using web = await webServer((_, socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${total}\r\n\r\n`);
      const piece = Buffer.alloc(256 * 1024);
      const go = () => {
        while (sent < total) {
          sent += piece.length;
          if (!socket.write(piece)) return;
        }
      };
      socket.on("drain", go);
      go();
    });
    await using server = await target.serve();
    const socket = new WebSocket(server.url);
    let seq = 0;
    let received = 0;
    const ended = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const send = (message: object) => socket.send(JSON.stringify(message));
    socket.onopen = () => send({ id: 1, method: "initialize", params: { clientName: "slow" } });
    socket.onmessage = ({ data }) => {
      const { id, params } = JSON.parse(data as string);
      if (id === 1) {
        send({ method: "initialized" });
        send({
          id: 2,
          method: "http/request",
          params: { method: "GET", url: web.url, requestId: "r", ...stream },
        });
      } else if (id === 2) {
        socket.pause();
        started.resolve();
      } else if (params !== undefined) {
        if (params.seq !== ++seq) ended.reject(new Error(`After ${seq - 1} came ${params.seq}`));
        received += Buffer.from(params.deltaBase64, "base64").length;
        if (params.done) ended.resolve();
      }
    };
    try {
      await within(started.promise, "the answer");
      // It stands still when every buffer on the way is full, the system's included.
      for (let before = -1; before !== sent;) {
        before = sent;
        await Bun.sleep(200);
      }
      expect(sent).toBeLessThan((target.name === "real" ? 200 : 32) * MIB);
      socket.resume();
      await within(ended.promise, "the whole body", 30_000);
      expect(received).toBe(total);
    } finally {
      socket.terminate();
    }
  });
});

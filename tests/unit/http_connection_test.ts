import { describe, expect, test } from "bun:test";
import { systemClock } from "../../lib/base/clock.ts";
import type { HttpBody, HttpRequest } from "../../lib/http/http_client.ts";
import { LocalHttpClient } from "../../lib/http/local/local_http_client.ts";
import { Outbox } from "../../lib/rpc/outbox.ts";
import { BodyPublisher } from "../../lib/server/body_publisher.ts";
import { ConnectionHttp } from "../../lib/server/connection_http.ts";
import { WireError } from "../../lib/wire/wire_error.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { ManualTransport } from "../support/manual_transport.ts";
import { respond, webServer } from "../support/web_server.ts";

const MIB = 1024 * 1024;

function request(url: string): HttpRequest {
  return { method: "GET", url, headers: [], body: new Uint8Array(), timeoutMs: null, redirects: "follow" };
}

/** A body whose pieces the test hands over; it counts how often it was asked. */
class ScriptedBody implements HttpBody {
  asked = 0;
  isDropped = false;
  readonly #pieces: (Uint8Array | null)[] = [];
  #wake: (() => void) | null = null;

  give(piece: string | null): void {
    this.#pieces.push(piece === null ? null : Buffer.from(piece));
    this.#wake?.();
  }

  async take(): Promise<Uint8Array | null> {
    this.asked++;
    while (this.#pieces.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#pieces.shift()!;
  }

  drop(): void {
    this.isDropped = true;
  }
}

describe("the publisher of a body", () => {
  const settled = async () => {
    for (let turn = 0; turn < 5; turn++) await Bun.sleep(0);
  };

  function setUp() {
    const transport = new ManualTransport();
    const outbox = new Outbox(transport);
    const body = new ScriptedBody();
    const clock = new ManualClock();
    const gone = new AbortController();
    const publisher = new BodyPublisher("id", body, outbox, clock, gone.signal);
    let isOver = false;
    const published = publisher.publish(() => (isOver = true));
    const sent = () =>
      transport.sent.map((text) => {
        const { seq, deltaBase64, done } = JSON.parse(text).params;
        return `${seq} ${atob(deltaBase64)}${done ? "done" : ""}`;
      });
    return { transport, outbox, body, clock, gone, published, sent, isOver: () => isOver };
  }

  test("asks for no more while there is no room, and goes on when there is", async () => {
    const { transport, outbox, body, clock, sent, isOver, published } = setUp();
    await settled();
    expect(body.asked).toBe(1);
    transport.isFull = true;
    body.give("one");
    body.give("two");
    await settled();
    expect([sent(), body.asked]).toEqual([[], 1]);
    transport.isFull = false;
    outbox.drained();
    await settled();
    expect(sent()).toEqual(["1 one", "2 two"]);
    expect(isOver()).toBe(false);
    body.give(null);
    await clock.advance(8);
    await published;
    expect([sent().at(-1), isOver(), body.isDropped]).toEqual(["3 done", true, true]);
  });

  test("sends two small pieces at once, and lets time pass before a third", async () => {
    const { body, clock, sent } = setUp();
    for (const piece of ["a", "b", "c"]) body.give(piece);
    await settled();
    expect(sent()).toEqual(["1 a", "2 b"]);
    await clock.advance(8);
    await settled();
    expect(sent()).toEqual(["1 a", "2 b", "3 c"]);
  });

  test("sends nothing more when nobody is there, and drops the body", async () => {
    const { transport, body, gone, sent, published } = setUp();
    await settled();
    transport.isFull = true;
    body.give("one");
    await settled();
    gone.abort();
    await published;
    expect([sent(), body.isDropped]).toEqual([[], true]);
  });
});

test("a request leaves no timer behind and asks its caller for nothing more, however it ends", async () => {
  await using web = await webServer(({ line }) => line.includes("/hang") ? undefined : respond("ok"));
  const clock = new ManualClock();
  const client = new LocalHttpClient(clock, {});
  const givenUp = new AbortController();
  let listeners = 0;
  const { signal } = givenUp;
  const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
  signal.addEventListener = (...given: Parameters<typeof add>) => (listeners++, add(...given));
  signal.removeEventListener = (...given: Parameters<typeof remove>) => (listeners--, remove(...given));
  const ask = (path: string) => client.send({ ...request(web.url + path), timeoutMs: 1_000 }, signal);
  const { body } = await ask("/");
  expect([clock.pending, listeners]).toEqual([1, 1]);
  while (await body.take(MIB) !== null);
  expect([clock.pending, listeners]).toEqual([1, 0]); // how long its connection is kept
  await clock.advance(4_000);
  expect([clock.pending, listeners]).toEqual([0, 0]);
  await web.allClosed();
  (await ask("/")).body.drop();
  expect([clock.pending, listeners]).toEqual([0, 0]);
  const hanging = ask("/hang").catch((error) => error.message);
  while (web.seen.length < 3) await Bun.sleep(1);
  await clock.advance(1_000);
  expect(await hanging).toEndWith("timed out after 1000 ms");
  expect([clock.pending, listeners]).toEqual([0, 0]);
  await web.allClosed();
});

describe("the requests of one connection", () => {
  const setUp = () => {
    const gone = new AbortController();
    return { gone, http: new ConnectionHttp(new Outbox(new ManualTransport()), systemClock, gone.signal) };
  };

  test("are streamed to 64 ids at the same time and no more", async () => {
    await using web = await webServer(() => "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc");
    const { gone, http } = setUp();
    await Promise.all(
      Array.from({ length: 64 }, (_, index) => http.sendStreamed(`${index}`, request(web.url))),
    );
    const refused = http.sendStreamed("more", request(web.url)).catch((error) => error);
    expect(await refused).toEqual(
      new WireError(-32600, "http/request allows at most 64 streamed responses at the same time"),
    );
    gone.abort();
    await web.allClosed();
  });

  test("give no whole body that fits into no message, and end its connection", async () => {
    await using web = await webServer((_, socket) => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      const go = () => {
        while (socket.write(Buffer.alloc(MIB)));
      };
      socket.on("drain", go);
      go();
    });
    const { http } = setUp();
    const failure = http.whole(await http.send(request(web.url))).catch((error) => error.message);
    expect(await failure).toBe(
      "the body is larger than 49283072 bytes and can only be had with streamResponse",
    );
    await web.allClosed();
  });

  test("hold two large bodies at the same time, while small ones pass", async () => {
    const large = "x".repeat(2 * MIB);
    await using web = await webServer(({ line }) => respond(line.includes("/large") ? large : "small"));
    const { gone, http } = setUp();
    const ask = async (path: string) => await http.whole(await http.send(request(web.url + path)));
    const first = await ask("/large");
    await ask("/large");
    const third = ask("/large");
    const order: string[] = [];
    void third.then(() => order.push("large"));
    order.push((await ask("/small")).bytes.length === 5 ? "small" : "?");
    expect(order).toEqual(["small"]);
    first.release();
    expect((await third).bytes.length).toBe(2 * MIB);
    const fourth = ask("/large").catch((error) => error.message);
    gone.abort();
    expect(await fourth).toMatch("given up");
    await web.allClosed();
  });
});

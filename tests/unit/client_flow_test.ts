import { describe, expect, test } from "bun:test";
import { Acknowledger } from "../../lib/client/acknowledger.ts";
import { LinkKeepalive } from "../../lib/client/link_keepalive.ts";
import { RemoteClient, type RemoteClientOptions } from "../../lib/client/remote_client.ts";
import { EventLog } from "../../lib/process/event_log.ts";
import { startOptions } from "../support/follow.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { ScriptedServer } from "../support/scripted_server.ts";

describe("acknowledgements", () => {
  const WINDOW = 4_000;

  function setUp() {
    const clock = new ManualClock();
    const log = new EventLog();
    const acks: number[] = [];
    const acknowledger = new Acknowledger(
      log,
      clock,
      () => ({ windowBytes: WINDOW, ack: (seq) => acks.push(seq) }),
    );
    log.watchTaken(() => acknowledger.moved());
    const arrive = (size: number) => {
      log.appendOutput("stdout", new Uint8Array(size));
      acknowledger.moved();
    };
    return { clock, log, acks, acknowledger, arrive };
  }

  test("tell what was taken, not what arrived", async () => {
    const { clock, log, acks, arrive } = setUp();
    const follower = log.follow(0, () => {});
    for (let n = 0; n < 5; n++) arrive(600);
    await clock.advance(1_000);
    expect(acks).toEqual([]);
    follower.take();
    expect(acks).toEqual([]);
    follower.take();
    expect(acks).toEqual([2]);
  });

  test("wait for the slowest reader", () => {
    const { log, acks, arrive } = setUp();
    const [fast, slow] = [log.follow(0, () => {}), log.follow(0, () => {})];
    for (let n = 0; n < 3; n++) arrive(1_000);
    while (fast.take() !== null);
    expect(acks).toEqual([]);
    slow.take();
    expect(acks).toEqual([1]);
    slow.leave();
    expect(acks.at(-1)).toBe(3);
  });

  test("of a reader that has everything come once it is quiet", async () => {
    const { clock, log, acks, arrive } = setUp();
    const follower = log.follow(0, () => follower.take());
    for (let n = 0; n < 3; n++) arrive(10);
    expect(acks).toEqual([]);
    await clock.advance(100);
    expect(acks).toEqual([3]);
    await clock.advance(10_000);
    expect(acks).toEqual([3]);
  });

  test("count events too, for a server that keeps a million of one byte", () => {
    const { log, acks, arrive } = setUp();
    log.follow(0, () => {}).leave();
    for (let n = 0; n < 16; n++) arrive(1);
    expect(acks).toEqual([16]);
  });

  test("are said again on a new connection", () => {
    const { acks, acknowledger, arrive } = setUp();
    arrive(2_000);
    expect(acks).toEqual([1]);
    acknowledger.resumed();
    expect(acks).toEqual([1, 1]);
  });
});

describe("a quiet connection", () => {
  function setUp() {
    const clock = new ManualClock();
    const peer = { unsentBytes: 0, pings: 0, ping: () => void (peer.pings += 1) };
    let silences = 0;
    const keepalive = new LinkKeepalive(clock, peer, () => silences++);
    return { clock, peer, keepalive, silences: () => silences };
  }

  test("is pinged after 10 s and lost after 20", async () => {
    const { clock, peer, silences } = setUp();
    await clock.advance(9_999);
    expect(peer.pings).toBe(0);
    await clock.advance(1);
    expect(peer.pings).toBe(1);
    await clock.advance(9_999);
    expect(silences()).toBe(0);
    await clock.advance(1);
    expect([peer.pings, silences()]).toEqual([1, 1]);
    expect(clock.pending).toBe(0);
  });

  test("that answers lives for ever", async () => {
    const { clock, peer, keepalive, silences } = setUp();
    for (let round = 1; round <= 50; round++) {
      await clock.advance(10_000);
      expect(peer.pings).toBe(round);
      keepalive.heard();
    }
    expect(silences()).toBe(0);
  });

  test("that takes what we send is not lost", async () => {
    const { clock, peer, silences } = setUp();
    for (let left = 20; left > 0; left--) {
      peer.unsentBytes = left * 1_000;
      await clock.advance(9_000);
    }
    expect(silences()).toBe(0);
    await clock.advance(40_000);
    expect(silences()).toBe(1);
  });
});

describe("a reader that is far behind, and a server that knows no acknowledgements", () => {
  async function setUp(change: Partial<RemoteClientOptions> = {}) {
    const clock = new ManualClock();
    const server = new ScriptedServer();
    const client = await RemoteClient.connect({
      dial: server.dial,
      clientName: "flow",
      reconnects: true,
      clock,
      ...change,
    });
    const connection = await server.connection(1);
    const starting = client.backend.start(startOptions(["x"], { processId: "p" }));
    const asked = await connection.request("process/start");
    connection.answer(asked, { processId: asked.params["processId"] });
    const process = await starting;
    const follower = process.log.follow(0, () => {});
    let sent = 0;
    const send = async (count: number) => {
      for (let n = 0; n < count; n++) connection.output("p", ++sent, new Uint8Array(64 * 1024));
      await clock.advance(0);
    };
    return { clock, server, client, connection, process, follower, send };
  }

  test("pause the connection, until the reader has caught up", async () => {
    const { clock, process, follower, send } = await setUp();
    await send(20);
    expect(process.log.nextSeq - 1).toBe(5);
    while (follower.take() !== null);
    await clock.advance(0);
    expect(process.log.nextSeq - 1).toBe(10);
    follower.leave();
    await clock.advance(0);
    expect(process.log.nextSeq - 1).toBe(20);
  });

  test("do not pause it while somebody waits for an answer", async () => {
    const { clock, client, connection, process, send } = await setUp();
    await send(10);
    const status = client.status();
    await send(10);
    expect(process.log.nextSeq - 1).toBe(20);
    connection.answer(await connection.request("environment/status"), { status: "ready" });
    expect(await status).toEqual({ status: "ready" });
    await clock.advance(0);
    await send(10);
    expect(process.log.nextSeq - 1).toBeLessThan(30);
  });

  test("read for a moment every 10 s, so that a connection that died is noticed", async () => {
    const { clock, client, connection, server, process, send } = await setUp();
    await send(20);
    for (let s = 0; s < 60; s++) await clock.advance(1_000);
    expect(client.state).toEqual({ state: "connected" });
    expect(process.log.nextSeq - 1).toBeGreaterThan(5);
    expect(process.log.nextSeq - 1).toBeLessThan(20);
    expect(server.connections.length).toBe(1);
    connection.freeze();
    for (let s = 0; s < 300 && client.state.state === "connected"; s++) await clock.advance(1_000);
    expect(client.state.state).not.toBe("connected");
    await client.leave();
  });
});

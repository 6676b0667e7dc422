import { expect } from "bun:test";
import { Peer } from "../support/peer.ts";
import { refusal } from "../support/peer_conversation.ts";
import { onEachTarget } from "./on_each_target.ts";

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Calls whose params decode, by the family that is named in a refusal. */
const FAMILIES: [string, string, unknown][] = [
  ["exec", "process/start", { processId: "p", argv: ["true"], cwd: "file:///tmp", env: {}, tty: false }],
  ["exec", "process/read", { processId: "p" }],
  ["exec", "process/write", { processId: "p", chunk: "", writeId: "1" }],
  ["exec", "process/signal", { processId: "p", signal: "interrupt" }],
  ["exec", "process/terminate", { processId: "p" }],
  ["environment info", "environment/info", null],
  ["environment status", "environment/status", null],
];

onEachTarget(({ target, test }) => {
  test("30 every session has a UUIDv4 of its own", async () => {
    await using server = await target.serve();
    const seen = new Set<string>();
    for (let round = 0; round < 5; round++) {
      await using peer = await Peer.connect(server.url);
      const { sessionId, environmentInfo } = await peer.initialize();
      expect(sessionId).toMatch(UUID_V4);
      seen.add(sessionId);
      expect(environmentInfo).toEqual(await peer.call("environment/info"));
      expect(environmentInfo).toMatchObject({
        shell: { name: expect.any(String), path: expect.any(String) },
      });
    }
    expect(seen.size).toBe(5);
  });

  test("31 a call before initialize and before initialized is refused in the words of its family", async () => {
    await using server = await target.serve();
    await using peer = await Peer.connect(server.url);
    for (const [family, method, params] of FAMILIES) {
      expect({ method, ...await refusal(peer.call(method, params)) }).toEqual({
        method,
        code: -32600,
        message: `client must call initialize before using ${family} methods`,
      });
    }
    await peer.call("initialize", { clientName: "" });
    for (const [family, method, params] of FAMILIES) {
      expect({ method, ...await refusal(peer.call(method, params)) }).toEqual({
        method,
        code: -32600,
        message: `client must send initialized before using ${family} methods`,
      });
    }
    peer.notify("initialized");
    expect(await peer.call("environment/status")).toEqual({ status: "ready" });
  });

  test("32 initialize succeeds once, and may be tried again after it failed", async () => {
    await using server = await target.serve();
    await using peer = await Peer.connect(server.url);
    for (
      const params of [undefined, null, {}, { clientName: null }, { clientName: "c", resumeSessionId: 5 }]
    ) {
      expect((await refusal(peer.call("initialize", params))).code).toBe(-32602);
    }
    const unknown = { clientName: "c", resumeSessionId: "no such session" };
    expect((await refusal(peer.call("initialize", unknown))).code).toBe(-32600);
    const { sessionId } = await peer.call<{ sessionId: string }>("initialize", {
      clientName: "c",
      resumeSessionId: null,
    });
    expect(sessionId).toMatch(UUID_V4);
    const twice = { code: -32600, message: "initialize may only be sent once per connection" };
    expect(await refusal(peer.call("initialize", { clientName: "c" }))).toEqual(twice);
    peer.notify("initialized");
    expect(await refusal(peer.call("initialize", { clientName: "c" }))).toEqual(twice);
    expect(await peer.call("environment/status")).toEqual({ status: "ready" });
  });

  test("33 initialized before initialize ends the connection", async () => {
    await using server = await target.serve();
    await using peer = await Peer.connect(server.url);
    peer.notify("initialized", {});
    await peer.closed;
    expect(peer.messages).toEqual([]);
  });

  test("33 a refused initialize is none, so initialized ends the connection after it", async () => {
    await using server = await target.serve();
    await using peer = await Peer.connect(server.url);
    await refusal(peer.call("initialize", {}));
    peer.notify("initialized", {});
    await peer.closed;
    expect(peer.messages).toHaveLength(1);
  });

  test("33 initialized once more is ignored, with params of any type", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    for (const params of [undefined, null, {}, [], 5, "s", { a: 1 }]) peer.notify("initialized", params);
    expect(await peer.call("environment/status")).toEqual({ status: "ready" });
    expect(peer.messages).toHaveLength(2);
  });

  test("34 initialize, initialized and a request work in one go, without waiting", async () => {
    await using server = await target.serve();
    for (let round = 0; round < 5; round++) {
      await using peer = await Peer.connect(server.url);
      const initialized = peer.call("initialize", { clientName: "c" });
      peer.notify("initialized");
      const started = peer.call(
        "process/start",
        peer.startParams({ argv: ["/bin/echo", "x"], processId: "p" }),
      );
      const status = peer.call("environment/status");
      expect(await initialized).toMatchObject({ sessionId: expect.stringMatching(UUID_V4) });
      expect(await started).toMatchObject({ processId: "p" });
      expect(await status).toEqual({ status: "ready" });
      expect((await peer.outcome("p")).stdout).toBe("x\n");
    }
  });

  test("34 the same with --concurrent-requests 4", async () => {
    await using server = await target.serve({ flags: ["--concurrent-requests", "4"] });
    await using peer = await Peer.connect(server.url);
    const initialized = peer.call("initialize", { clientName: "c" });
    peer.notify("initialized");
    const statuses = Array.from({ length: 20 }, () => peer.call("environment/status"));
    await initialized;
    expect(await Promise.all(statuses)).toEqual(Array(20).fill({ status: "ready" }));
  });
});

import { describe, expect, test } from "bun:test";
import { quickOutput } from "../../lib/client/quick_output.ts";
import { newsIn } from "../../lib/client/wire_events.ts";
import { isRetryable } from "../../lib/client/recovery.ts";
import { ClientError, inClientWords } from "../../lib/client/client_error.ts";
import { type ClientState, nextState } from "../../lib/client/connection_state.ts";
import { RemoteClient } from "../../lib/client/remote_client.ts";
import { CallError } from "../../lib/rpc/call_error.ts";
import { readEnvironmentInfo, readInitializeAnswer, readReadAnswer } from "../../lib/wire/client_messages.ts";
import { writeOutput } from "../../lib/wire/process_events.ts";
import { DecodeError } from "../../lib/wire/decode_error.ts";
import { WireError } from "../../lib/wire/wire_error.ts";
import { Followed, startOptions } from "../support/follow.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { ScriptedServer } from "../support/scripted_server.ts";

describe("a notification", () => {
  test("tells an event", () => {
    const output = { processId: "p", seq: 3, stream: "stderr", chunk: "aGk=", more: 1 };
    expect(newsIn("process/output", output)).toEqual({
      processId: "p",
      event: { type: "output", seq: 3, stream: "stderr", bytes: new Uint8Array([104, 105]) },
    });
    expect(newsIn("process/exited", { processId: "", seq: 1, exitCode: -1 })?.event)
      .toEqual({ type: "exited", seq: 1, exitCode: -1, sandboxDenied: null });
    expect(newsIn("process/closed", { processId: "p", seq: 2 })?.event).toEqual({ type: "closed", seq: 2 });
  });

  test("about anything else tells nothing", () => {
    expect(newsIn("network/something", null)).toBeNull();
    expect(newsIn("toString", {})).toBeNull();
  });

  const good = { processId: "p", seq: 1, stream: "stdout", chunk: "", exitCode: 0, sandboxDenied: false };
  test.each<[string, object | null]>([
    ["process/output", null],
    ["process/output", []],
    ["process/output", { ...good, processId: 1 }],
    ["process/output", { ...good, seq: 0 }],
    ["process/output", { ...good, seq: 1.5 }],
    ["process/output", { ...good, seq: "1" }],
    ["process/output", { ...good, stream: "toString" }],
    ["process/output", { ...good, chunk: "a" }],
    ["process/output", { ...good, chunk: " aGk=" }],
    ["process/output", { ...good, chunk: null }],
    ["process/exited", { ...good, exitCode: 2 ** 31 }],
    ["process/exited", { ...good, exitCode: 0.5 }],
    ["process/exited", { ...good, exitCode: null }],
    ["process/exited", { ...good, sandboxDenied: 0 }],
    ["process/closed", { ...good, seq: 2 ** 53 }],
  ])("%s with %j is refused", (method, params) => {
    expect(() => newsIn(method, params)).toThrow(DecodeError);
  });
});

describe("the quick way of output", () => {
  const slow = (text: string) => {
    const { method, params } = JSON.parse(text);
    return newsIn(method, params);
  };

  test.each(["", "p1", "a b/c:~", "6f1c2a54-0000-4000-8000-123456789012"])(
    "reads %j as the careful one does",
    (id) => {
      for (const size of [0, 1, 2, 3, 1_000, 65_536]) {
        const text = writeOutput(
          JSON.stringify(id),
          12,
          "stderr",
          crypto.getRandomValues(new Uint8Array(size)),
        );
        expect(quickOutput(text)).toEqual(slow(text));
        expect(quickOutput(text)).not.toBeNull();
      }
    },
  );

  const text = writeOutput('"p"', 1, "stdout", Buffer.from("hello"));
  test.each([
    text.replace('"p"', '"\\u0070"'),
    text.replace('"p"', '"é"'),
    text.replace('"p"', '"a\nb"'),
    text.replace('"seq":1', '"seq":01'),
    text.replace('"seq":1', '"seq":0'),
    text.replace('"seq":1', '"seq":1.0'),
    text.replace("stdout", "stdin"),
    text.replace("aGVs", "aG s"),
    text.replace("aGVs", 'aGVs","chunk":"'),
    text.replace("aGVs", "aG\\/s"),
    text.slice(0, -1),
    `${text} `,
    text.replace('"method"', '"id":1,"method"'),
    text.replace('"}}', '","more":1}}'),
  ])("leaves %s to the careful one", (odd) => {
    expect(quickOutput(odd)).toBeNull();
  });
});

describe("an answer", () => {
  test("of an old server is read like one of a new", () => {
    expect(readInitializeAnswer({ sessionId: "s" })).toMatchObject({
      sessionId: "s",
      extensions: [],
      flow: null,
    });
    expect(readEnvironmentInfo({ shell: { name: "sh", path: "/bin/sh" } }).cwd).toBeNull();
    const info = { shell: { name: "sh", path: "/bin/sh" }, capabilities: { a: true, b: false }, unknown: 1 };
    expect(readEnvironmentInfo(info).capabilities as object).toEqual({ a: true });
  });

  test.each([[null], ["s"], [{}], [{ sessionId: 5 }], [{ sessionId: "s", extensions: [1] }]])(
    "%j introduces nobody",
    (result) => {
      expect(() => readInitializeAnswer(result)).toThrow(DecodeError);
    },
  );

  test("to a read is checked to its leaves", () => {
    const page = { chunks: [], nextSeq: 1, exited: false, exitCode: null, closed: false, failure: null };
    expect(readReadAnswer(page).sandboxDenied).toBe(false);
    for (
      const wrong of [{ chunks: [{}] }, { nextSeq: -1 }, { exitCode: "0" }, { exitCode: 1.5 }, { closed: 1 }]
    ) {
      expect(() => readReadAnswer({ ...page, ...wrong })).toThrow(DecodeError);
    }
  });
});

describe("an error", () => {
  test.each<[string, unknown]>([
    ["exec-server rejected request (-32600): no", new WireError(-32600, "no")],
    ["exec-server protocol error: full", new CallError("limit", "full")],
    ["exec-server protocol error: late", new CallError("deadline", "late")],
    ["gone", new CallError("ended", "gone")],
    ["failed to serialize or deserialize exec-server JSON: what", new DecodeError("what")],
    ["exec-server transport disconnected", new WireError(-32000, "JSON-RPC transport closed")],
  ])("is said as Codex says it: %s", (text, error) => {
    expect(inClientWords(error).message).toBe(text);
  });

  test("that may be another next time is tried again, and no other", () => {
    const retried = (
      code: ConstructorParameters<typeof ClientError>[0],
      rejection: WireError | null = null,
    ) => isRetryable(new ClientError(code, "", rejection));
    expect([retried("connect"), retried("timeout"), retried("disconnected")]).toEqual([true, true, true]);
    expect(retried("rejected", new WireError(-32010, ""))).toBe(true);
    expect([retried("rejected", new WireError(-32600, "")), retried("protocol"), retried("spawn")])
      .toEqual([false, false, false]);
  });
});

describe("a connection's state", () => {
  const recovering: ClientState = { state: "recovering", attempt: 1, cause: "cut" };
  const failed: ClientState = { state: "failed", message: "over" };

  test("goes round, and ends", () => {
    const lost = nextState({ state: "connected" }, { type: "transport ended", cause: "cut" });
    expect(lost).toEqual(recovering);
    const again = nextState(lost, { type: "attempt failed", cause: "refused" });
    expect(again).toEqual({ state: "recovering", attempt: 2, cause: "refused" });
    expect(nextState(again, { type: "resumed" })).toEqual({ state: "connected" });
    expect(nextState(again, { type: "gave up", message: "over" })).toEqual(failed);
  });

  test("is not changed by what comes too late", () => {
    expect(nextState(recovering, { type: "transport ended", cause: "again" })).toBe(recovering);
    expect(nextState({ state: "connected" }, { type: "resumed" })).toEqual({ state: "connected" });
    for (const type of ["resumed", "gave up", "attempt failed", "transport ended"] as const) {
      expect(nextState(failed, { type, cause: "x", message: "x" })).toBe(failed);
    }
  });
});

describe("a client", () => {
  async function readyOn(server: ScriptedServer, reconnects = true) {
    const clock = new ManualClock();
    const client = await RemoteClient.connect({ dial: server.dial, clientName: "unit", reconnects, clock });
    return { clock, client, connection: await server.connection(1) };
  }

  test("offers its extensions, and uses those that both named", async () => {
    const server = new ScriptedServer();
    server.answerInitialize = () => ({
      result: {
        sessionId: "s",
        environmentInfo: { shell: { name: "", path: "" } },
        extensions: ["stdin.v1", "x.v9"],
      },
    });
    const { client, connection } = await readyOn(server);
    expect((await connection.request("initialize")).params).toEqual({
      clientName: "unit",
      extensions: [
        "terminal.v1",
        "stdin.v1",
        "signals.v1",
        "flow.v1",
        "files.v1",
        "outcome.v1",
        "processes.v1",
      ],
    });
    expect([...client.agreed]).toEqual(["stdin.v1"]);
    expect(connection.notifications).toEqual([{ method: "initialized", params: {} }]);
  });

  test("refuses what a server asks, and drops one that asks with a string id", async () => {
    const server = new ScriptedServer();
    const { client, connection } = await readyOn(server);
    connection.send({ id: 9, method: "network/policyRequest", params: {} });
    const seen = client.call("x", null);
    connection.answer(await connection.request("x"), {});
    await seen;
    expect(connection.answers).toEqual([{
      id: 9,
      error: { code: -32601, message: "exec-server client does not implement `network/policyRequest` yet" },
    }]);
    connection.send({ id: "9", method: "network/policyRequest", params: {} });
    await connection.whenOver;
  });

  test("drops a connection whose messages it cannot read, and recovers", async () => {
    const server = new ScriptedServer();
    const { client, connection } = await readyOn(server);
    const states: ClientState[] = [];
    const back = new Promise<void>((resolve) =>
      client.onState((state) => {
        states.push(state);
        if (state.state === "connected") resolve();
      })
    );
    connection.send("{");
    await back;
    expect(states[0]).toMatchObject({
      state: "recovering",
      cause: expect.stringMatching(/^exec-server transport disconnected: malformed message: /),
    });
  });

  test("gives up an initialize that is not answered within 10 s, and leaves nothing open", async () => {
    const server = new ScriptedServer();
    const clock = new ManualClock();
    server.answerInitialize = () => null;
    const refused = RemoteClient.connect({ dial: server.dial, clientName: "unit", reconnects: true, clock })
      .catch((error: Error) => error.message);
    const connection = await server.connection(1);
    await clock.advance(9_999);
    expect(connection.isOver).toBe(false);
    await clock.advance(1);
    expect(await refused).toBe("timed out waiting for exec-server initialize handshake after 10s");
    await connection.whenOver;
    expect(clock.pending).toBe(0);
  });

  test("refuses an introduction without a session, and leaves nothing open", async () => {
    const server = new ScriptedServer();
    const clock = new ManualClock();
    server.answerInitialize = () => ({ result: {} });
    const refused = RemoteClient.connect({ dial: server.dial, clientName: "unit", reconnects: true, clock });
    await expect(refused).rejects.toThrow(
      "failed to serialize or deserialize exec-server JSON: missing field `sessionId`",
    );
    await (await server.connection(1)).whenOver;
    expect(clock.pending).toBe(0);
  });

  test("takes another session than its own for an error", async () => {
    const server = new ScriptedServer();
    const { client, connection } = await readyOn(server);
    server.answerInitialize = () => ({ result: { sessionId: "another" } });
    const failed = new Promise<ClientState>((resolve) =>
      client.onState((state) => state.state === "failed" && resolve(state))
    );
    connection.cut();
    expect(await failed).toMatchObject({
      message: expect.stringContaining("exec-server initialized an unexpected session another"),
    });
  });

  test("that cannot reconnect fails at once", async () => {
    const server = new ScriptedServer();
    const { client, connection } = await readyOn(server, false);
    const starting = client.backend.start(startOptions(["x"], { processId: "p" }));
    const asked = await connection.request("process/start");
    connection.answer(asked, { processId: asked.params["processId"] });
    const process = new Followed(await starting);
    connection.cut();
    expect(await process.end()).toEqual({
      failed: "exec-server transport disconnected: ended by the other side",
    });
    expect(server.connections.length).toBe(1);
  });

  test("fails a call that a lost connection leaves unanswered, and does not repeat it", async () => {
    const server = new ScriptedServer();
    const { client, connection } = await readyOn(server);
    const call = client.call("fs/createDirectory", {}).catch((error: ClientError) => error);
    await connection.request("fs/createDirectory");
    connection.cut();
    expect(await call).toMatchObject({ code: "disconnected" });
    const later = client.call("fs/other", {});
    const second = await server.connection(2);
    second.answer(await second.request("fs/other"), { fine: true });
    expect(await later).toEqual({ fine: true });
    expect(second.count("fs/createDirectory")).toBe(0);
  });

  test("that is left while it recovers tries no more", async () => {
    const server = new ScriptedServer();
    const { clock, client, connection } = await readyOn(server);
    server.isReachable = false;
    connection.cut();
    await clock.advance(1_000);
    const waiting = client.call("x", null).catch((error: Error) => error.message);
    await client[Symbol.asyncDispose]();
    expect(await waiting).toBe("exec-server transport closed");
    const { dialled } = server;
    await clock.advance(60_000);
    expect(server.dialled).toBe(dialled);
    expect(clock.pending).toBe(0);
  });
});

import { describe, expect, test } from "bun:test";
import { RemoteClient, type RemoteClientOptions } from "../../lib/client/remote_client.ts";
import type { ProcessHandle } from "../../lib/process/backend.ts";
import { Followed, startOptions } from "../support/follow.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { type ScriptedConnection, ScriptedServer } from "../support/scripted_server.ts";

// Items 72 to 80 of the checklist, against a server that does exactly what the test says.

function connect(server: ScriptedServer, change: Partial<RemoteClientOptions> = {}): Promise<RemoteClient> {
  return RemoteClient.connect({ dial: server.dial, clientName: "conformance", reconnects: true, ...change });
}

/** Starts a process, the server saying yes. */
async function start(
  client: RemoteClient,
  connection: ScriptedConnection,
  processId = "p",
): Promise<ProcessHandle> {
  const starting = client.backend.start(startOptions(["x"], { processId, pipeStdin: true }));
  connection.answer(await connection.request("process/start"), { processId });
  return await starting;
}

async function readyOn(server: ScriptedServer, change: Partial<RemoteClientOptions> = {}) {
  const client = await connect(server, change);
  return { client, connection: await server.connection(1) };
}

const page = (change: object) => ({
  chunks: [],
  nextSeq: 1,
  exited: false,
  exitCode: null,
  closed: false,
  failure: null,
  sandboxDenied: false,
  ...change,
});
const chunk = (seq: number, text: string) => ({
  seq,
  stream: "stdout",
  chunk: Buffer.from(text).toString("base64"),
});

describe("a client", () => {
  test("72 brings closed, exited and two outputs into order before it tells them", async () => {
    const { client, connection } = await readyOn(new ScriptedServer());
    const process = new Followed(await start(client, connection));
    connection.closed("p", 4);
    connection.exited("p", 3, 7);
    connection.output("p", 2, "two");
    connection.output("p", 1, "one ");
    expect(await process.end()).toEqual({ exitCode: 7 });
    expect(process.text()).toBe("one two");
    expect(process.seqs).toEqual([1, 2, 3, 4]);
    expect(connection.count("process/read")).toBe(0);
  });

  test("72 knows a process before the answer to its start", async () => {
    const { client, connection } = await readyOn(new ScriptedServer());
    const starting = client.backend.start(startOptions(["x"], { processId: "p" }));
    const request = await connection.request("process/start");
    connection.output("p", 1, "early");
    connection.exited("p", 2, 0);
    connection.closed("p", 3);
    connection.answer(request, { processId: "p" });
    const process = new Followed(await starting);
    expect(await process.end()).toEqual({ exitCode: 0 });
    expect(process.text()).toBe("early");
  });

  test("72 keeps all that came before the answer to a start until its caller follows", async () => {
    const { client, connection } = await readyOn(new ScriptedServer());
    const starting = client.backend.start(startOptions(["x"], { processId: "p" }));
    const request = await connection.request("process/start");
    for (let seq = 1; seq <= 40; seq++) connection.output("p", seq, new Uint8Array(64 * 1024));
    connection.exited("p", 41, 0);
    connection.closed("p", 42);
    connection.answer(request, { processId: "p" });
    const process = new Followed(await starting);
    expect(await process.end()).toEqual({ exitCode: 0 });
    expect(process.bytes.stdout).toBe(40 * 64 * 1024);
  });

  test("72 asks exactly once when an exit does not say whether the sandbox was the reason", async () => {
    const { client, connection } = await readyOn(new ScriptedServer());
    const process = await start(client, connection);
    connection.exited("p", 1, 1, {});
    connection.closed("p", 2);
    const read = await connection.request("process/read");
    expect(read.params).toMatchObject({ processId: "p", afterSeq: 0, waitMs: 0 });
    const followed = new Followed(process);
    connection.answer(
      read,
      page({ nextSeq: 3, exited: true, exitCode: 1, closed: true, sandboxDenied: true }),
    );
    expect(await followed.end()).toEqual({ exitCode: 1 });
    expect(process.log.exited?.sandboxDenied).toBe(true);
    expect(connection.count("process/read")).toBe(1);
  });

  test("73 fails only the process whose events wait in too great a number", async () => {
    const { client, connection } = await readyOn(new ScriptedServer());
    const many = new Followed(await start(client, connection, "many"));
    const other = new Followed(await start(client, connection, "other"));
    for (let seq = 2; seq <= 257; seq++) connection.output("many", seq, "x");
    connection.output("other", 1, "well");
    await other.outputWith("well");
    expect(many.process.log.failed).toBeNull();
    connection.output("many", 258, "x");
    expect(await many.end()).toEqual({ failed: "process event reorder buffer exceeds 256 entries" });
    connection.exited("other", 2, 0);
    connection.closed("other", 3);
    expect(await other.end()).toEqual({ exitCode: 0 });
    expect(client.state).toEqual({ state: "connected" });
  });

  test("73 fails a process whose waiting events are too large together, or one of whose events is", async () => {
    const { client, connection } = await readyOn(new ScriptedServer());
    const heavy = new Followed(await start(client, connection, "heavy"));
    const half = new Uint8Array(512 * 1024 + 1);
    connection.output("heavy", 2, half);
    connection.output("heavy", 3, half);
    expect(await heavy.end()).toEqual({ failed: "process event reorder buffer exceeds 1048576 bytes" });
    const huge = new Followed(await start(client, connection, "huge"));
    connection.output("huge", 1, new Uint8Array(1024 * 1024 + 1));
    expect(await huge.end()).toEqual({ failed: "process event exceeds 1048576 bytes" });
    const largest = new Followed(await start(client, connection, "largest"));
    connection.output("largest", 1, new Uint8Array(1024 * 1024));
    connection.exited("largest", 2, 0);
    connection.closed("largest", 3);
    expect(await largest.end()).toEqual({ exitCode: 0 });
  });

  test("73 takes the event that closes a gap whatever waits behind it", async () => {
    const { client, connection } = await readyOn(new ScriptedServer());
    const process = new Followed(await start(client, connection));
    for (let seq = 257; seq > 1; seq--) connection.output("p", seq, "x");
    connection.output("p", 1, "x".repeat(1024 * 1024));
    connection.exited("p", 258, 0);
    connection.closed("p", 259);
    expect(await process.end()).toEqual({ exitCode: 0 });
    expect(process.bytes.stdout).toBe(1024 * 1024 + 256);
  });

  test("74 resumes the same session, reads each live process once, then sends an unanswered write again", async () => {
    const server = new ScriptedServer();
    const { client, connection } = await readyOn(server);
    const a = await start(client, connection, "a");
    const followed = new Followed(a);
    await start(client, connection, "b");
    connection.output("a", 1, "one");
    await followed.outputWith("one");
    const written = a.write(Buffer.from("hello"), "1");
    const first = await connection.request("process/write");
    connection.cut();

    const second = await server.connection(2);
    expect((await second.request("initialize")).params).toMatchObject({
      resumeSessionId: server.sessionId,
    });
    const reads = [await second.request("process/read"), await second.request("process/read")];
    expect(reads.map(({ params }) => [params["processId"], params["afterSeq"], params["maxBytes"]]))
      .toEqual([["a", 1, null], ["b", 0, null]]);
    expect(second.count("process/write")).toBe(0);
    second.answer(reads[0]!, page({ chunks: [chunk(2, " two")], nextSeq: 3 }));
    second.answer(reads[1]!, page({ nextSeq: 1 }));
    const again = await second.request("process/write");
    expect(again.params).toEqual(first.params);
    second.answer(again, { status: "accepted" });
    expect(await written).toBe("accepted");
    expect(client.state).toEqual({ state: "connected" });
    expect(second.notifications[0]?.method).toBe("initialized");
    expect(followed.text()).toBe("one two");
    expect(second.count("process/read")).toBe(2);
  });

  test("74 bears a flood of news before the answer to its read", async () => {
    const server = new ScriptedServer();
    const { client, connection } = await readyOn(server);
    const process = new Followed(await start(client, connection));
    connection.cut();
    const second = await server.connection(2);
    const read = await second.request("process/read");
    for (let seq = 2; seq <= 500; seq++) second.output("p", seq, new Uint8Array(8 * 1024));
    second.answer(read, page({ chunks: [chunk(1, "missed")], nextSeq: 2 }));
    second.exited("p", 501, 0);
    second.closed("p", 502);
    expect(await process.end()).toEqual({ exitCode: 0 });
    expect(process.bytes.stdout).toBe(6 + 499 * 8 * 1024);
  });

  test("74 sends unanswered writes again in their order, and before those that came meanwhile", async () => {
    const server = new ScriptedServer();
    const { client, connection } = await readyOn(server);
    const process = await start(client, connection);
    const writes = [process.write(Buffer.from("a"), "1"), process.write(Buffer.from("b"), "2")];
    await connection.request("process/write");
    connection.cut();
    await connection.whenOver;
    writes.push(process.write(Buffer.from("c"), "3"));
    const second = await server.connection(2);
    second.answer(await second.request("process/read"), page({}));
    for (const writeId of ["1", "2", "3"]) {
      const write = await second.request("process/write");
      expect(write.params["writeId"]).toBe(writeId);
      second.answer(write, { status: "accepted" });
    }
    expect(await Promise.all(writes)).toEqual(["accepted", "accepted", "accepted"]);
  });

  test("75 tries every 100 ms while another connection holds the session", async () => {
    const server = new ScriptedServer();
    const clock = new ManualClock();
    const { client, connection } = await readyOn(server, { clock });
    const normal = server.answerInitialize;
    server.answerInitialize = () => ({ error: { code: -32010, message: "already attached" } });
    connection.cut();
    await clock.advance(1_000);
    expect(server.connections.length).toBe(1 + 11);
    server.answerInitialize = normal;
    await clock.advance(100);
    expect(client.state).toEqual({ state: "connected" });
  });

  test("75 stops at once when the session is unknown", async () => {
    const server = new ScriptedServer();
    const clock = new ManualClock();
    const { client, connection } = await readyOn(server, { clock });
    const process = new Followed(await start(client, connection));
    const message = `unknown session id ${server.sessionId}`;
    server.answerInitialize = () => ({ error: { code: -32600, message } });
    connection.cut();
    const end = await process.end();
    expect(end).toEqual({
      failed: expect.stringMatching(
        /^exec-server transport disconnected.*; failed to resume exec-server session: exec-server rejected request \(-32600\): unknown session id /,
      ),
    });
    await clock.advance(60_000);
    expect(server.connections.length).toBe(2);
    expect(client.state.state).toBe("failed");
  });

  test("76 gives up after 45 s when the server stays away, and says so", async () => {
    const server = new ScriptedServer();
    const clock = new ManualClock();
    const { client, connection } = await readyOn(server, { clock });
    const process = new Followed(await start(client, connection));
    const write = Promise.resolve(process.process.write(Buffer.from("x"), "1")).catch((error: Error) =>
      error.message
    );
    await connection.request("process/write");
    server.isReachable = false;
    connection.cut();
    await clock.advance(44_900);
    expect(client.state.state).toBe("recovering");
    await clock.advance(200);
    const failed = expect.stringMatching(
      /^exec-server transport disconnected.*; failed to resume exec-server session: recovery timed out after 45s$/,
    );
    expect(await process.end()).toEqual({ failed });
    expect(client.state).toEqual({ state: "failed", message: failed });
    expect(await write).toEqual(failed);
    expect(server.dialled).toBeGreaterThan(400);
    await expect(client.call("environment/status", null)).rejects.toThrow("recovery timed out after 45s");
  });

  test("76 gives up after 50 s in all when the catch-up takes too long", async () => {
    const server = new ScriptedServer();
    const clock = new ManualClock();
    const { client, connection } = await readyOn(server, { clock });
    await start(client, connection);
    connection.cut();
    const second = await server.connection(2);
    await second.request("process/read");
    // Alive, but it does not answer the read.
    for (let ms = 0; ms < 49_000; ms += 7_000) {
      await clock.advance(7_000);
      second.send({ method: "something/else", params: {} });
    }
    expect(client.state.state).toBe("recovering");
    await clock.advance(2_000);
    expect(client.state).toEqual({
      state: "failed",
      message: expect.stringContaining("recovery timed out after 50s"),
    });
  });

  test("77 does not end before what it may have started is ended", async () => {
    const server = new ScriptedServer();
    const { client, connection } = await readyOn(server);
    const starting = Promise.resolve(client.backend.start(startOptions(["x"], { processId: "lost" })));
    const refused = starting.then(() => null, (error: Error) => error);
    await connection.request("process/start");
    connection.cut();
    expect(await refused).toMatchObject({ code: "lost" });
    const ended = client[Symbol.asyncDispose]();
    const second = await server.connection(2);
    second.answer(await second.request("process/terminate"), { running: true });
    await ended;
  });

  test("a start that is answered with something else has failed", async () => {
    const { client, connection } = await readyOn(new ScriptedServer());
    const starting = Promise.resolve(client.backend.start(startOptions(["x"])));
    const refused = starting.then(() => null, (error: Error) => error);
    connection.answer(await connection.request("process/start"), { sessionId: "x" });
    expect(await refused).toMatchObject({ code: "lost", message: expect.stringContaining("processId") });
  });

  test("77 never sends an ambiguous start again, and ends what it may have started", async () => {
    const server = new ScriptedServer();
    const { client, connection } = await readyOn(server);
    const starting = Promise.resolve(client.backend.start(startOptions(["x"], { processId: "lost" })));
    const refused = starting.then(() => null, (error: Error) => error);
    await connection.request("process/start");
    connection.cut();
    expect(await refused).toMatchObject({
      code: "lost",
      message: expect.stringMatching(/^exec-server transport disconnected/),
    });
    const second = await server.connection(2);
    expect((await second.request("process/terminate")).params).toEqual({ processId: "lost" });
    second.cut();
    // The answer to the terminate was lost too.
    const third = await server.connection(3);
    third.answer(await third.request("process/terminate"), { running: true });
    third.output("lost", 1, "nobody listens");
    third.cut();
    const fourth = await server.connection(4);
    await fourth.request("initialize");
    const asked = client.call("x", null);
    fourth.answer(await fourth.request("x"), {});
    await asked;
    for (const { requests } of [second, third, fourth]) {
      expect(requests.filter(({ method }) => method === "process/start")).toEqual([]);
      expect(requests.filter(({ method }) => method === "process/read")).toEqual([]);
    }
    expect(fourth.count("process/terminate")).toBe(0);
  });

  test("78 fails the one process whose replay has a hole, and keeps the others", async () => {
    const server = new ScriptedServer();
    const { client, connection } = await readyOn(server);
    const holed = new Followed(await start(client, connection, "holed"));
    const whole = new Followed(await start(client, connection, "whole"));
    connection.cut();
    const second = await server.connection(2);
    second.answer(await second.request("process/read"), page({ chunks: [chunk(3, "late")], nextSeq: 4 }));
    second.answer(await second.request("process/read"), page({ chunks: [chunk(1, "all")], nextSeq: 2 }));
    expect(await holed.end()).toEqual({
      failed:
        "failed to recover process holed: process events are no longer retained while recovering through sequence 3",
    });
    expect((await second.request("process/terminate")).params).toEqual({ processId: "holed" });
    second.exited("whole", 2, 0);
    second.closed("whole", 3);
    expect(await whole.end()).toEqual({ exitCode: 0 });
    expect(whole.text()).toBe("all");
  });

  test("79 puts the exit where a number is missing between replayed chunks", async () => {
    const server = new ScriptedServer();
    const { client, connection } = await readyOn(server);
    const process = new Followed(await start(client, connection));
    connection.output("p", 1, "a");
    await process.outputWith("a");
    connection.cut();
    const second = await server.connection(2);
    const read = await second.request("process/read");
    const chunks = [chunk(2, "b"), chunk(4, "d")];
    second.answer(read, page({ chunks, nextSeq: 6, exited: true, exitCode: 9, closed: true }));
    expect(await process.end()).toEqual({ exitCode: 9 });
    expect(process.seqs).toEqual([1, 2, 3, 4, 5]);
    expect(process.process.log.exited?.seq).toBe(3);
    expect(process.text()).toBe("abd");
  });

  test("80 works with a server whose initialize answers only a session id", async () => {
    const server = new ScriptedServer();
    server.answerInitialize = () => ({ result: { sessionId: server.sessionId } });
    const connecting = connect(server);
    const connection = await server.connection(1);
    const asked = await connection.request("environment/info");
    connection.answer(asked, { shell: { name: "zsh", path: "/bin/zsh" }, cwd: null });
    const client = await connecting;
    expect(client.info.shell.name).toBe("zsh");
    expect([...client.agreed]).toEqual([]);
    expect(await client.backend.abilities()).toEqual({
      ...{ terminal: false, closeInput: false, signals: false },
      trees: null,
    });
    const process = new Followed(await start(client, connection));
    connection.exited("p", 1, 0);
    connection.closed("p", 2);
    expect(await process.end()).toEqual({ exitCode: 0 });
  });

  test("80 works with one that does not know environment/info either", async () => {
    const server = new ScriptedServer();
    server.answerInitialize = () => ({ result: { sessionId: server.sessionId } });
    const connecting = connect(server);
    const connection = await server.connection(1);
    connection.refuse(await connection.request("environment/info"), -32601, "unknown method");
    expect((await connecting).info.shell.name).toBe("sh");
  });
});

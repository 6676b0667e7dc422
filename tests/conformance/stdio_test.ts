import { expect } from "bun:test";
import { isAlive, untilGroupIsGone } from "../support/peer_system.ts";
import { spawnStdio, type StdioServer } from "../support/peer_stdio.ts";
import { onEachTarget } from "./on_each_target.ts";

const HELLO = '{"id":1,"method":"initialize","params":{"clientName":"c"}}';
const STATUS = '{"id":2,"method":"environment/status"}';

async function answerTo(server: StdioServer, id: number) {
  return await server.peer.waitFor((message) => message.id === id, `the answer to ${id}`);
}

onEachTarget(({ target, test }) => {
  const stdio = () => spawnStdio(target.command(["--listen", "stdio"]));

  test("20 stdio takes CRLF, blank lines, spaces around and a last line without its end, then exits 0", async () => {
    await using server = stdio();
    server.sendBytes(`\r\n\n  \t\n${HELLO}\r\n  {"method":"initialized"}  \r\n\n`);
    await answerTo(server, 1);
    server.sendBytes(STATUS);
    server.endInput();
    expect(await server.exited).toBe(0);
    const answers = server.peer.messages.map(({ id, result }) => [id, id === 2 ? result : "…"]);
    expect(answers[0]).toEqual([1, "…"]);
    // In the real server the end of stdin mostly overtakes the answer.
    if (target.name === "ours" || answers.length > 1) {
      expect(answers.slice(1)).toEqual([[2, { status: "ready" }]]);
    }
  });

  test("20 a malformed line is answered with the label of stdio, and the next is served", async () => {
    await using server = stdio();
    server.sendBytes(`{"id":\n${HELLO}\n`);
    const { error } = await answerTo(server, -1);
    expect(error?.code).toBe(-32600);
    expect(error?.message).toStartWith("failed to parse JSON-RPC message from exec-server stdio: ");
    expect((await answerTo(server, 1)).result).toMatchObject({ sessionId: expect.any(String) });
    server.endInput();
    expect(await server.exited).toBe(0);
  });

  test("20 the end of stdin ends every process and its children, and the server with 0, also during a long poll", async () => {
    await using server = stdio();
    const { peer } = server;
    await peer.initialize();
    const pids: number[] = [];
    let last = "";
    for (const tty of [false, true]) {
      last = await peer.shell("trap '' HUP TERM; sleep 300 & echo pid=$$.; sleep 300", { tty });
      pids.push(Number((await peer.outputWith(last, ".")).match(/pid=(\d+)/)?.[1]));
    }
    peer.read(last, { afterSeq: 99, waitMs: 300_000 }).catch(() => {});
    expect(pids.every(isAlive)).toBe(true);
    server.endInput();
    expect(await server.exited).toBe(0);
    for (const pid of pids) await untilGroupIsGone(pid);
  });

  test("20 invalid UTF-8 is the end of the connection, exit 0", async () => {
    await using server = stdio();
    await server.peer.initialize();
    server.sendBytes(Buffer.from([0x7b, 0xff, 0x7d, 0x0a]));
    expect(await server.exited).toBe(0);
    expect(server.lines).toHaveLength(1);
  });

  test("20 a violation of the protocol stops the serving without an answer", async () => {
    await using server = stdio();
    await server.peer.initialize();
    server.sendBytes(`{"method":"no/such"}\n${STATUS}\n`);
    // The real server stops serving, but lingers in a blocked read.
    if (target.name === "real") server.endInput();
    expect(await server.exited).toBe(0);
    expect(server.lines).toHaveLength(1);
  });
});

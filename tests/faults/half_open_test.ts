import { expect, test } from "bun:test";
import { Keepalive } from "../../lib/rpc/keepalive.ts";
import { ServerSocket } from "../../lib/transport/server_socket.ts";
import { Peer } from "../support/peer.ts";
import type { RefusedCall } from "../support/peer_conversation.ts";
import { untilTrue } from "../support/peer_deadline.ts";
import { refusedResume, STILL_ATTACHED } from "../support/peer_resume.ts";
import { OPCODE } from "../support/raw_frame.ts";
import { RawSocket } from "../support/raw_socket.ts";
import { ManualClock } from "../support/manual_clock.ts";
import type { RunningServer } from "../support/target.ts";
import { oursTarget } from "../support/target_ours.ts";
import { SilentLine } from "./silent_line.ts";
import { bytesWrittenBy, untilItWritesNoMore, untilSteady } from "./system_facts.ts";

const PING_EVERY_MS = 15_000;
const FLOOD = "echo pid=$$.; exec cat /dev/zero";

const serve = () => oursTarget().serve({ movableTime: true });

/** Moves time as far as asked, with a rest at each ping, so that whoever wants to answer can. */
async function pass(server: RunningServer, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += PING_EVERY_MS) {
    await server.advance(Math.min(PING_EVERY_MS, ms - passed));
    await server.settle();
  }
}

/** A peer at the far end of a line that can fall silent. */
async function peerOver(line: SilentLine): Promise<{ peer: Peer; sessionId: string }> {
  const peer = await Peer.connect(line.url);
  const { sessionId } = await peer.initialize();
  await peer.call("environment/status");
  return { peer, sessionId };
}

async function takeUp(url: string, sessionId: string): Promise<Peer> {
  const peer = await Peer.connect(url);
  expect((await peer.initialize(sessionId)).sessionId).toBe(sessionId);
  return peer;
}

async function pidOf(peer: Peer, processId: string): Promise<number> {
  return Number((await peer.outputWith(processId, ".")).match(/pid=(\d+)\./)?.[1]);
}

test("a peer that vanished is dropped 60 s after its last sign of life, not before, and its session waits for it", async () => {
  await using server = await serve();
  await using line = await SilentLine.to(server.url);
  const { peer, sessionId } = await peerOver(line);
  await using _ = peer;
  const processId = await peer.start({ argv: ["/bin/cat"], pipeStdin: true });
  await pass(server, 300_000);
  expect(line.endedByServer).toBe(0);

  line.mute();
  await pass(server, 45_000);
  expect(line.endedByServer).toBe(0);
  await pass(server, 30_000);
  await untilTrue(() => line.endedByServer === 1, "the end of the silent connection");

  await using back = await takeUp(server.url, sessionId);
  expect(await back.write(processId, "still here\n", "1")).toBe("accepted");
  await back.outputWith(processId, "still here\n");
});

test("a refused resume pings the holder at once, and one that stays silent is gone 5 s later", async () => {
  await using server = await serve();
  await using line = await SilentLine.to(server.url);
  const { peer, sessionId } = await peerOver(line);
  await using _ = peer;
  const processId = await peer.start({ argv: ["/bin/cat"], pipeStdin: true });
  line.mute();

  expect((await refusedResume(server.url, sessionId)).code).toBe(STILL_ATTACHED);
  await server.advance(4_900);
  // Asking again gives the holder no more time, and no less.
  expect((await refusedResume(server.url, sessionId)).code).toBe(STILL_ATTACHED);
  expect(line.endedByServer).toBe(0);
  await server.advance(100);
  await untilTrue(() => line.endedByServer === 1, "the end of the silent holder");

  await using back = await takeUp(server.url, sessionId);
  expect(await back.write(processId, "mine again\n", "1")).toBe("accepted");
  await back.outputWith(processId, "mine again\n");
});

test("a holder that answers the ping of a refused resume is left undisturbed, however often it is asked", async () => {
  await using server = await serve();
  await using line = await SilentLine.to(server.url);
  const { peer, sessionId } = await peerOver(line);
  await using _ = peer;
  for (let claim = 0; claim < 5; claim++) {
    const passed = line.passed;
    expect((await refusedResume(server.url, sessionId)).code).toBe(STILL_ATTACHED);
    await untilTrue(() => line.passed > passed, "the ping for the holder");
    await server.settle();
    await pass(server, 10_000);
  }
  expect(line.endedByServer).toBe(0);
  expect((await peer.run({ argv: ["/bin/echo", "undisturbed"] })).stdout).toBe("undisturbed\n");
});

test("a holder may answer the ping of a refused resume with anything, a request too", async () => {
  await using server = await serve();
  await using raw = await RawSocket.open(server.url);
  raw.sendText({ id: 1, method: "initialize", params: { clientName: "raw" } });
  const { sessionId } = (await raw.answerTo(1)).result as { sessionId: string };
  expect((await refusedResume(server.url, sessionId)).code).toBe(STILL_ATTACHED);
  await raw.waitForFrame(({ opcode }) => opcode === OPCODE.ping, "the ping for the holder");
  await server.advance(4_900);
  raw.sendText({ id: 2, method: "environment/status" });
  await raw.answerTo(2);
  await pass(server, 30_000);
  expect(raw.isEnded).toBe(false);
});

test("a peer that reads slowly and says nothing is not dropped, for it takes what it is sent", async () => {
  await using server = await serve();
  await using line = await SilentLine.to(server.url);
  const { peer, sessionId } = await peerOver(line);
  await using _ = peer;
  const pid = await pidOf(peer, await peer.shell(FLOOD));
  line.stall();
  line.mute();
  await untilItWritesNoMore(pid);
  for (let round = 0; round < 10; round++) {
    const passed = line.passed;
    line.letThrough(1024 * 1024);
    await untilTrue(() => line.passed >= passed + 1024 * 1024, "a mouthful");
    await untilItWritesNoMore(pid);
    await server.advance(PING_EVERY_MS);
  }
  expect(line.endedByServer).toBe(0);
  expect((await refusedResume(server.url, sessionId)).code).toBe(STILL_ATTACHED);
});

test("taking is a sign of life, also when as much waits again at the next look", async () => {
  const clock = new ManualClock();
  let isTerminated = false;
  const transport = new ServerSocket({
    send: () => -1,
    getBufferedAmount: () => 2 * 1024 * 1024,
    ping: () => -1,
    pause() {},
    resume() {},
    terminate: () => void (isTerminated = true),
  }, "a slow peer");
  const keepalive = new Keepalive(transport, clock, () => false);
  transport.receive({
    message() {},
    drained() {},
    heard: () => keepalive.heard(),
    ended: () => keepalive.stop(),
  });
  for (let round = 0; round < 10; round++) {
    transport.drained();
    await clock.advance(PING_EVERY_MS);
  }
  expect(isTerminated).toBe(false);
  await clock.advance(60_000);
  expect(isTerminated).toBe(true);
});

test("a peer that reads nothing and says nothing is dropped after 60 s, and its child runs free", async () => {
  await using server = await serve();
  await using line = await SilentLine.to(server.url);
  const { peer, sessionId } = await peerOver(line);
  await using _ = peer;
  const pid = await pidOf(peer, await peer.shell(FLOOD));
  line.stall();
  line.mute();
  const held = await untilItWritesNoMore(pid);
  // What the system still took on our side may look like taking until the next ping; then there is no doubt.
  await pass(server, PING_EVERY_MS);
  await untilItWritesNoMore(pid);
  await pass(server, 60_000 + 2 * PING_EVERY_MS);
  await untilTrue(() => bytesWrittenBy(pid) > 2 * held, "the child to run free");
  await using back = await takeUp(server.url, sessionId);
  expect(await back.call<object>("environment/status")).toEqual({ status: "ready" });
});

test("a peer that asked more than it reads and then vanished makes way for whoever resumes", async () => {
  await using server = await serve();
  await using line = await SilentLine.to(server.url);
  const { peer, sessionId } = await peerOver(line);
  await using _ = peer;
  line.stall();
  // Far more than the server reads ahead, so that it stops reading as well.
  const info = JSON.stringify({ id: 0, method: "environment/info", padding: "x".repeat(2_000) });
  for (let sent = 0; sent < 40_000; sent++) peer.send(info);
  expect(await untilSteady(() => line.untaken)).toBeGreaterThan(0);
  line.mute();
  await using next = await Peer.connect(server.url);
  // What it had said before may still count once as a sign of life; the rule of 60 s would take longer than this.
  for (let passed = 0; passed <= 30_000; passed += 5_000) {
    const error = await next.initialize(sessionId).then(() => null, (refused: RefusedCall) => refused.body);
    if (error === null) return;
    expect(error.code).toBe(STILL_ATTACHED);
    await server.advance(5_000);
    await untilSteady(() => line.untaken);
  }
  throw new Error("The vanished holder keeps its place");
});

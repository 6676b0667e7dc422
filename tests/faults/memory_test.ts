import { expect, test } from "bun:test";
import { type Chunk, eventsOf } from "../support/peer_outcome.ts";
import { type Message, refusal } from "../support/peer_conversation.ts";
import { Peer } from "../support/peer.ts";
import { untilTrue } from "../support/peer_deadline.ts";
import { resume } from "../support/peer_resume.ts";
import { isAlive } from "../support/peer_system.ts";
import { OPCODE } from "../support/raw_frame.ts";
import { RawSocket } from "../support/raw_socket.ts";
import { BareSocket, frameBytes, framed } from "./bare_socket.ts";
import { SilentLine } from "./silent_line.ts";
import { spawnOurs } from "./spawned_server.ts";
import { peakMiB, residentMiB, untilItWritesNoMore, untilSteady } from "./system_facts.ts";

/** What a server may grow by while somebody floods it: its buffers of a few MiB, and the garbage between two collections. */
const GROWTH_MIB = 100;
/** Above all those buffers together, and far above GROWTH_MIB once it is base64 in JSON in memory. */
const FLOOD_BYTES = 48 * 1024 * 1024;
const FLOOD = `echo pid=$$.; read go; exec head -c ${FLOOD_BYTES} /dev/zero`;
const MANY = 2_000;

/** Far above any answer of an idle server, far below what a person would call hanging. */
const AT_ONCE_MS = 250;

/** A child that floods once a line is written to it. */
async function startFlood(
  peer: Peer,
  how: { tty?: boolean; pipeStdin?: boolean },
): Promise<[string, number]> {
  const processId = await peer.shell(FLOOD, how);
  return [processId, Number((await peer.outputWith(processId, ".")).match(/pid=(\d+)\./)?.[1])];
}

/** The usual time from a question to its answer. */
async function answerTime(peer: Peer): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < 11; round++) {
    const begun = performance.now();
    expect(await peer.call<object>("environment/status")).toEqual({ status: "ready" });
    times.push(performance.now() - begun);
  }
  return times.sort((a, b) => a - b)[5];
}

function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}

function seqsOf(peer: Peer, processId: string): number[] {
  return eventsOf(peer.messages, processId).map(({ params }) => params?.seq as number);
}

function sizeOf(chunks: Chunk[]): number {
  return chunks.reduce((sum, { chunk }) => sum + Buffer.byteLength(chunk, "base64"), 0);
}

test("a peer that stops reading holds the child that floods it, costs little and nobody else anything, and misses nothing", async () => {
  await using server = await spawnOurs();
  await using line = await SilentLine.to(server.url);
  await using other = await Peer.ready(server.url);
  await using peer = await Peer.ready(line.url);
  const before = residentMiB(server.pid);
  const [processId, pid] = await startFlood(peer, { pipeStdin: true });
  line.stall();
  const wrote = peer.write(processId, "\n", "1");
  expect(await untilItWritesNoMore(pid)).toBeLessThan(FLOOD_BYTES / 2);
  expect(isAlive(pid)).toBe(true);
  expect(await answerTime(other)).toBeLessThan(AT_ONCE_MS);
  expect(peakMiB(server.pid) - before).toBeLessThan(GROWTH_MIB);

  line.restore();
  expect(await wrote).toBe("accepted");
  const { closedSeq, exitCode } = await peer.outcome(processId);
  expect(seqsOf(peer, processId)).toEqual(upTo(closedSeq));
  expect(exitCode).toBe(0);
  expect(sizeOf(peer.chunks(processId))).toBe(FLOOD_BYTES + `pid=${pid}.\n`.length);
  expect(peakMiB(server.pid) - before).toBeLessThan(GROWTH_MIB);
});

test("a terminal that floods a peer that stops reading is held as well", async () => {
  await using server = await spawnOurs();
  await using line = await SilentLine.to(server.url);
  await using peer = await Peer.ready(line.url);
  const before = residentMiB(server.pid);
  const [processId, pid] = await startFlood(peer, { tty: true });
  line.stall();
  const wrote = peer.write(processId, "\n", "1");
  expect(await untilItWritesNoMore(pid)).toBeLessThan(FLOOD_BYTES / 2);
  expect(peakMiB(server.pid) - before).toBeLessThan(GROWTH_MIB);

  line.restore();
  expect(await wrote).toBe("accepted");
  const { closedSeq } = await peer.outcome(processId);
  expect(seqsOf(peer, processId)).toEqual(upTo(closedSeq));
  const zeros = peer.chunks(processId).reduce(
    (sum, { chunk }) => sum + Buffer.from(chunk, "base64").filter((byte) => byte === 0).length,
    0,
  );
  expect(zeros).toBe(FLOOD_BYTES);
});

test("without a spool a child whose peer is gone runs free: its old output is dropped, and what is left has no hole", async () => {
  await using server = await spawnOurs(["--spool-max", "0"]);
  const peer = await Peer.connect(server.url);
  const { sessionId } = await peer.initialize();
  const before = residentMiB(server.pid);
  const [processId, pid] = await startFlood(peer, { pipeStdin: true });
  expect(await peer.write(processId, "\n", "1")).toBe("accepted");
  await peer.hangUp();
  await untilTrue(() => !isAlive(pid), "the end of a child that nobody holds back");
  expect(peakMiB(server.pid) - before).toBeLessThan(GROWTH_MIB);

  await using back = await resume(server.url, sessionId);
  const { chunks, nextSeq, closed, exitCode } = await back.read(processId, { waitMs: 5_000 });
  expect({ closed, exitCode }).toEqual({ closed: true, exitCode: 0 });
  const kept = sizeOf(chunks);
  expect(kept).toBeLessThanOrEqual(1024 * 1024);
  expect(kept).toBeGreaterThan(1024 * 1024 - 64 * 1024);
  // All but two of the events at the end are output: exited and closed have numbers of their own.
  const kinds = chunks.map(({ seq }) => seq);
  expect(nextSeq - kinds[0]).toBe(kinds.length + 2);
});

const FLOODS = [
  {
    name: "requests",
    frame: framed({ id: 1, method: "environment/info", padding: "x".repeat(1_000) }),
    answers: ({ id, result }: Message) => id === 1 && result !== undefined,
  },
  {
    name: "malformed messages",
    frame: framed(`{${"x".repeat(1_000)}`),
    answers: ({ id, error }: Message) => id === -1 && error?.code === -32600,
  },
];

for (const { name, frame, answers } of FLOODS) {
  test(`a flood of ${name} by a peer that does not read is held back, costs little, and is answered in full`, async () => {
    const count = 60_000;
    await using server = await spawnOurs();
    await using other = await Peer.ready(server.url);
    await using bare = await BareSocket.ready(server.url);
    const before = residentMiB(server.pid);
    bare.stopReading();
    const greeted = bare.messages.length;
    const block = Buffer.concat(Array.from({ length: 1_000 }, () => frame));
    let taken = 0;
    const flood = async () => {
      for (; taken < count; taken += 1_000) await bare.write(block);
    };
    const flooded = flood();
    expect(await untilSteady(() => taken)).toBeLessThan(count);
    expect(await answerTime(other)).toBeLessThan(AT_ONCE_MS);
    expect(peakMiB(server.pid) - before).toBeLessThan(GROWTH_MIB);

    bare.readOn();
    await flooded;
    await bare.until(() => bare.messages.length >= greeted + count, "every answer");
    expect(bare.messages.slice(greeted).filter(answers)).toHaveLength(count);
    expect(peakMiB(server.pid) - before).toBeLessThan(GROWTH_MIB);
  });
}

test("a flood of pings by a peer that does not read costs little", async () => {
  await using server = await spawnOurs();
  await using other = await Peer.ready(server.url);
  await using bare = await BareSocket.ready(server.url);
  const before = residentMiB(server.pid);
  bare.stopReading();
  const ping = frameBytes({ opcode: OPCODE.ping, payload: "x".repeat(125) });
  const block = Buffer.concat(Array.from({ length: 10_000 }, () => ping));
  for (let megabytes = 0; megabytes < 200; megabytes++) await bare.write(block);
  expect(await answerTime(other)).toBeLessThan(AT_ONCE_MS);
  expect(peakMiB(server.pid) - before).toBeLessThan(GROWTH_MIB);
  bare.readOn();
  bare.write(framed({ id: "after", method: "environment/status" }));
  await bare.until(() => bare.messages.some(({ id }) => id === "after"), "an answer after the pings");
});

test("a child that never reads makes only its own writes wait, and they fail when it is terminated", async () => {
  await using server = await spawnOurs();
  await using raw = await RawSocket.ready(server.url);
  const before = residentMiB(server.pid);
  raw.sendText({
    id: "start",
    method: "process/start",
    params: {
      processId: "deaf",
      argv: ["/bin/sleep", "300"],
      cwd: "file:///",
      env: {},
      tty: false,
      pipeStdin: true,
    },
  });
  await raw.answerTo("start");
  const chunk = Buffer.alloc(64 * 1024, "x").toString("base64");
  const count = 600;
  for (let id = 1; id <= count; id++) {
    raw.sendText({ id, method: "process/write", params: { processId: "deaf", chunk, writeId: `w${id}` } });
  }
  raw.sendFrame({ opcode: OPCODE.ping, payload: "alive?" });
  raw.sendText({ id: "status", method: "environment/status" });
  await raw.waitForFrame(({ opcode }) => opcode === OPCODE.pong, "the pong");
  expect((await raw.answerTo("status")).result).toEqual({ status: "ready" });
  raw.sendText({
    id: "run",
    method: "process/start",
    params: { processId: "true", argv: ["/bin/true"], cwd: "file:///", env: {}, tty: false },
  });
  expect((await raw.answerTo("run")).result).toMatchObject({ processId: "true" });
  const answers = () =>
    raw.frames.filter(({ opcode }) => opcode === OPCODE.text)
      .map(({ payload }): Message => JSON.parse(payload.toString("utf8")))
      .filter(({ id }) => typeof id === "number");
  const accepted = answers();
  expect(accepted.length).toBeGreaterThanOrEqual(128);
  expect(accepted.length).toBeLessThan(200);
  expect(accepted.map(({ id }) => id)).toEqual(upTo(accepted.length));
  // What waits is held, but only once: not also the text that it came in.
  expect(peakMiB(server.pid) - before).toBeLessThan(GROWTH_MIB + count * 64 / 1024);

  raw.sendText({ id: "end", method: "process/terminate", params: { processId: "deaf" } });
  expect((await raw.answerTo("end")).result).toEqual({ running: true });
  await raw.answerTo(count);
  const refused = answers().filter(({ error }) => error !== undefined);
  expect(refused).toHaveLength(count - accepted.length);
  for (const { error } of refused) {
    expect(error).toMatchObject({ code: -32603, message: "failed to write to process stdin" });
  }
});

test("2,000 long polls at once delay nobody, cost little, and are all answered by one event", async () => {
  await using server = await spawnOurs();
  await using peer = await Peer.ready(server.url);
  const before = residentMiB(server.pid);
  const processId = await peer.shell("read go; echo gone; exec sleep 300", { pipeStdin: true });
  const reads = upTo(MANY).map(() => peer.read(processId, { waitMs: 20_000 }));
  expect(await answerTime(peer)).toBeLessThan(AT_ONCE_MS);
  expect(await peer.write(processId, "\n", "1")).toBe("accepted");
  for (const { chunks, nextSeq } of await Promise.all(reads)) {
    expect({ text: atob(chunks[0].chunk), nextSeq }).toEqual({ text: "gone\n", nextSeq: 2 });
  }
  expect(peakMiB(server.pid) - before).toBeLessThan(GROWTH_MIB);
});

test("2,000 requests in one TCP write are all answered, and those about one process in their order", async () => {
  await using server = await spawnOurs();
  await using bare = await BareSocket.ready(server.url);
  const start = {
    processId: "cat",
    argv: ["/bin/cat"],
    cwd: "file:///",
    env: {},
    tty: false,
    pipeStdin: true,
  };
  const requests = upTo(MANY).map((id) =>
    id % 2 === 0 ? { id, method: "environment/status" } : {
      id,
      method: "process/write",
      params: { processId: "cat", chunk: btoa(`${id}\n`), writeId: `${id}` },
    }
  );
  const all = [{ id: "start", method: "process/start", params: start }, ...requests];
  bare.write(Buffer.concat(all.map((request) => framed(request))));
  const answered = () => bare.messages.filter(({ id }) => typeof id === "number");
  await bare.until(() => answered().length === MANY, "2,000 answers");
  const expected = requests.map(({ id, method }) => ({
    id,
    result: { status: method === "process/write" ? "accepted" : "ready" },
  }));
  expect(answered().sort((a, b) => Number(a.id) - Number(b.id))).toEqual(expected);
  const echo = () =>
    bare.messages.filter(({ method }) => method === "process/output")
      .map(({ params }) => atob(params?.chunk as string)).join("");
  const odd = requests.filter(({ id }) => id % 2 === 1).map(({ id }) => `${id}\n`).join("");
  await bare.until(() => echo().length >= odd.length, "the echo of every write");
  expect(echo()).toBe(odd);
});

test("2,000 pipelined starts all run", async () => {
  await using server = await spawnOurs();
  await using peer = await Peer.ready(server.url);
  const before = residentMiB(server.pid);
  const ids = await Promise.all(upTo(MANY).map(() => peer.start({ argv: ["/bin/true"] })));
  const ends = () => peer.messages.filter(({ method }) => method === "process/closed").length;
  await peer.waitUntil(() => ends() === MANY, "every end");
  expect(new Set(ids).size).toBe(MANY);
  expect(peer.messages.filter(({ params }) => params?.exitCode === 0)).toHaveLength(MANY);
  expect(peakMiB(server.pid) - before).toBeLessThan(GROWTH_MIB);
});

test("a message of 64 MiB is taken, costs a few times its size, and the next one is answered", async () => {
  const limit = 64 * 1024 * 1024;
  await using server = await spawnOurs();
  await using other = await Peer.ready(server.url);
  await using raw = await RawSocket.ready(server.url);
  const before = residentMiB(server.pid);
  const [head, tail] = [`{"id":1,"method":"environment/status","padding":"`, `"}`];
  raw.sendFrame({
    opcode: OPCODE.text,
    payload: head + "x".repeat(limit - head.length - tail.length) + tail,
  });
  expect((await raw.answerTo(1)).result).toEqual({ status: "ready" });
  expect(await answerTime(other)).toBeLessThan(AT_ONCE_MS);
  expect(peakMiB(server.pid) - before).toBeLessThan(6 * 64);
});

test("an argv and an environment of megabytes reach the child, and too large ones are refused as the system words it", async () => {
  await using server = await spawnOurs();
  await using peer = await Peer.ready(server.url);
  const env = Object.fromEntries(upTo(5_000).map((index) => [`NAME_${index}`, "v".repeat(50)]));
  const argv = ["/bin/sh", "-c", "echo $# $NAME_5000", "sh", ...upTo(5_000).map(() => "a".repeat(50))];
  expect((await peer.run({ argv, env })).stdout).toBe(`5000 ${"v".repeat(50)}\n`);

  const tooLong = { code: -32603, message: "Argument list too long (os error 7)" };
  for (const tty of [false, true]) {
    const huge = peer.startParams({
      argv: ["/bin/echo", "x".repeat(8 * 1024 * 1024)],
      tty,
      processId: "again",
    });
    expect(await refusal(peer.call("process/start", huge))).toMatchObject(tooLong);
    const full = peer.startParams({ argv: ["/bin/echo"], env: { BIG: "x".repeat(8 * 1024 * 1024) }, tty });
    expect(await refusal(peer.call("process/start", full))).toMatchObject(tooLong);
  }
  expect((await peer.run({ argv: ["/bin/echo", "fits"], processId: "again" })).stdout).toBe("fits\n");
});

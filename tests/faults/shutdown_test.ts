import { expect, test } from "bun:test";
import { CHILD_ENV, Peer } from "../support/peer.ts";
import { untilTrue, within } from "../support/peer_deadline.ts";
import { spawnStdio } from "../support/peer_stdio.ts";
import { oursTarget } from "../support/target_ours.ts";
import type { ServerProcess } from "../support/target_process.ts";
import { SilentLine } from "./silent_line.ts";
import { spawnOurs } from "./spawned_server.ts";
import { aliveWith } from "./system_facts.ts";

const ENDS_WITHIN_MS = 1_000;
const SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** An environment by which every child and grandchild of one test is known. */
function marked(): { env: Record<string, string>; mark: string } {
  const mark = `FAULTS_MARK=${crypto.randomUUID()}`;
  return { env: { ...CHILD_ENV, FAULTS_MARK: mark.slice("FAULTS_MARK=".length) }, mark };
}

async function mustEndWell(server: ServerProcess, mark: string): Promise<void> {
  expect(await within(server.exited, "the end of the server", ENDS_WITHIN_MS)).toBe(0);
  await untilTrue(() => aliveWith(mark).length === 0, "the end of every child", ENDS_WITHIN_MS);
  expect(server.stdout()).toBe(`${server.url}\n`);
}

/** Sends a request whose answer nobody waits for. */
function mention(peer: Peer, method: string, params: object): void {
  peer.send(JSON.stringify({ id: "unheard", method, params }));
}

const STUBBORN = "trap '' HUP INT TERM; sleep 300 & (sleep 300) & echo up; sleep 300";

for (const signal of SIGNALS) {
  test(`${signal} in the middle of everything ends the server with 0 within 1 s, and everybody it started`, async () => {
    const { env, mark } = marked();
    await using server = await spawnOurs();
    await using line = await SilentLine.to(server.url);
    await using hanging = await Peer.ready(line.url);
    await using busy = await Peer.ready(server.url);
    const left = await Peer.ready(server.url);

    for (const peer of [hanging, busy, left]) {
      for (const tty of [false, true]) {
        await peer.outputWith(await peer.shell(STUBBORN, { tty, env }), "up");
      }
    }
    await left.hangUp();
    const deaf = await busy.start({ argv: ["/bin/sleep", "300"], pipeStdin: true, env });
    for (const tty of [false, true]) {
      line.stall();
      mention(hanging, "process/start", hanging.startParams({ argv: ["/bin/cat", "/dev/zero"], tty, env }));
    }
    for (let poll = 0; poll < 100; poll++) {
      mention(busy, "process/read", { processId: deaf, waitMs: 300_000 });
    }
    const chunk = Buffer.alloc(64 * 1024).toString("base64");
    for (let write = 0; write < 200; write++) {
      mention(busy, "process/write", { processId: deaf, chunk, writeId: `w${write}` });
    }
    for (let start = 0; start < 500; start++) {
      const params = busy.startParams({
        argv: ["/bin/sh", "-c", "sleep 300 & sleep 300"],
        tty: start % 5 === 0,
        env,
      });
      mention(busy, "process/start", params);
    }
    await busy.waitFor(
      ({ id, result }) => id === "unheard" && JSON.stringify(result).includes("none"),
      "a start",
    );
    expect(aliveWith(mark).length).toBeGreaterThan(12);

    server.kill(signal);
    await mustEndWell(server, mark);
    await within(busy.closed, "the end of the connection");
  });
}

test("SIGTERM right after the first line of stdout is an end with 0, time and again", async () => {
  for (let round = 0; round < 5; round++) {
    const { mark } = marked();
    await using server = await spawnOurs();
    server.kill("SIGTERM");
    await mustEndWell(server, mark);
  }
});

test("SIGTERM during the first start leaves nobody behind", async () => {
  for (let round = 0; round < 5; round++) {
    const { env, mark } = marked();
    await using server = await spawnOurs();
    await using peer = await Peer.ready(server.url);
    for (const tty of [false, true]) {
      mention(peer, "process/start", peer.startParams({ argv: ["/bin/sh", "-c", STUBBORN], tty, env }));
    }
    if (round % 2 === 0) await peer.waitFor(({ id }) => id === "unheard", "the first start");
    server.kill("SIGTERM");
    await mustEndWell(server, mark);
  }
});

for (const signal of SIGNALS) {
  test(`${signal} again and again is an end like one`, async () => {
    const { env, mark } = marked();
    await using server = await spawnOurs();
    await using peer = await Peer.ready(server.url);
    await Promise.all(Array.from({ length: 100 }, () => peer.shell(STUBBORN, { env })));
    let isOver = false;
    server.exited.then(() => void (isOver = true));
    for (let round = 0; !isOver && round < 1_000; round++) {
      server.kill(signal);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await mustEndWell(server, mark);
  });
}

test("the end of stdin during long polls, floods and waiting writes ends a stdio server with 0, and its children", async () => {
  const { env, mark } = marked();
  await using server = spawnStdio(oursTarget().command(["--listen", "stdio"]));
  const { peer } = server;
  await peer.initialize();
  const deaf = await peer.shell(STUBBORN, { pipeStdin: true, env });
  await peer.outputWith(deaf, "up");
  for (const tty of [false, true]) await peer.start({ argv: ["/bin/cat", "/dev/zero"], tty, env });
  mention(peer, "process/read", { processId: deaf, afterSeq: 99, waitMs: 300_000 });
  const chunk = Buffer.alloc(64 * 1024).toString("base64");
  for (let write = 0; write < 200; write++) {
    mention(peer, "process/write", { processId: deaf, chunk, writeId: `w${write}` });
  }
  expect(aliveWith(mark).length).toBeGreaterThan(4);
  server.endInput();
  expect(await within(server.exited, "the end of the server", 2 * ENDS_WITHIN_MS)).toBe(0);
  await untilTrue(() => aliveWith(mark).length === 0, "the end of every child", ENDS_WITHIN_MS);
});

for (const signal of SIGNALS) {
  test(`${signal} ends a stdio server with 0, whose stdin stays open and whose stdout nobody reads`, async () => {
    const { env, mark } = marked();
    const command = oursTarget().command(["--listen", "stdio"]);
    await using server = Bun.spawn(command, { stdin: "pipe", stdout: "pipe", stderr: "ignore" });
    const start = { processId: "flood", argv: ["/bin/cat", "/dev/zero"], cwd: "file:///", env, tty: false };
    for (
      const message of [
        { id: 1, method: "initialize", params: { clientName: "deaf" } },
        { method: "initialized" },
        { id: 2, method: "process/start", params: start },
      ]
    ) server.stdin.write(`${JSON.stringify(message)}\n`);
    await server.stdin.flush();
    await untilTrue(() => aliveWith(mark).length === 1, "the flood");
    server.kill(signal);
    expect(await within(server.exited, "the end of the server", ENDS_WITHIN_MS)).toBe(0);
    await untilTrue(() => aliveWith(mark).length === 0, "the end of every child", ENDS_WITHIN_MS);
  });
}

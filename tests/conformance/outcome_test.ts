import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { EXTENSIONS } from "../../lib/wire/extensions.ts";
import { extended } from "../support/extended_peer.ts";
import { Peer } from "../support/peer.ts";
import { refusal } from "../support/peer_conversation.ts";
import { untilTrue } from "../support/peer_deadline.ts";
import { isAlive, scratchDirectory } from "../support/peer_system.ts";
import { oursTarget } from "../support/target_ours.ts";

// `outcome.v1`: honest ends, limits, what becomes of those who are left, and starts that happen once.

const serve = () => oursTarget().serve();

/** What a peer was told of the end of a process. */
async function exitOf(peer: Peer, id: string): Promise<Record<string, unknown>> {
  await peer.outcome(id);
  const told = peer.messages.find(({ method, params }) =>
    method === "process/exited" && (params as { processId: string }).processId === id
  );
  return told?.params as Record<string, unknown>;
}

const usage = expect.objectContaining({
  wallMs: expect.any(Number),
  cpuMs: expect.any(Number),
  bytes: expect.any(Object),
});

describe("an outcome", () => {
  test.each([
    ["exit 0", { kind: "exited", code: 0 }],
    ["exit 7", { kind: "exited", code: 7 }],
    ["exit 137", { kind: "exited", code: 137 }],
    ["kill -KILL $$", { kind: "signalled", signal: "KILL" }],
    ["kill -SEGV $$", { kind: "signalled", signal: "SEGV" }],
    ["kill -40 $$", { kind: "signalled", signal: "40" }],
  ])("of %s is told with the exit, and again by a read", async (script, outcome) => {
    await using server = await serve();
    const { peer } = await extended(server.url);
    await using _ = peer;
    const id = await peer.shell(`printf four; ${script}`);
    expect(await exitOf(peer, id)).toMatchObject({ outcome, usage });
    const page = await peer.read(id, {});
    expect(page).toMatchObject({ outcome, usage: { bytes: { stdout: 4 } } });
  });

  test("is not told to who did not ask for it", async () => {
    await using server = await serve();
    for (const extensions of [[], EXTENSIONS.filter((name) => name !== "outcome.v1")]) {
      const { peer } = await extended(server.url, extensions);
      await using _ = peer;
      const id = await peer.shell("exit 3", { limits: { wallMs: 1 }, startId: 5 } as object);
      expect(Object.keys(await exitOf(peer, id))).toEqual(["processId", "seq", "exitCode", "sandboxDenied"]);
      expect(Object.keys(await peer.read(id, {}))).not.toContain("outcome");
    }
  });
});

describe("a limit", () => {
  const ending = { signal: "TERM", graceMs: 5_000 };

  test.each([
    ["wallMs", 100, "sleep 60"],
    ["idleMs", 100, "echo up; sleep 60"],
    ["cpuMs", 100, "while :; do :; done"],
    ["outputBytes", 100_000, "yes"],
  ])("on %s ends the process and says so", async (limit, value, script) => {
    await using server = await serve();
    const { peer } = await extended(server.url);
    await using _ = peer;
    const id = await peer.shell(script, { limits: { [limit]: value }, ending } as object);
    const { exitCode, outcome } = await exitOf(peer, id);
    expect(outcome).toEqual({ kind: "limit", limit, signal: limit === "outputBytes" ? "KILL" : "TERM" });
    expect(exitCode).toBe(limit === "outputBytes" ? 137 : 143);
  });

  test("that is not met changes nothing, and one who ends well after the signal is told with his code", async () => {
    await using server = await serve();
    const { peer } = await extended(server.url);
    await using _ = peer;
    const limits = { wallMs: 60_000, idleMs: 60_000, cpuMs: 60_000, outputBytes: 1_000_000 };
    const fine = await peer.shell("echo fine; exit 4", { limits } as object);
    expect((await exitOf(peer, fine))["outcome"]).toEqual({ kind: "exited", code: 4 });
    const script = "trap 'exit 6' TERM; while :; do sleep 0.02; done";
    const late = await peer.shell(script, { limits: { wallMs: 200 }, ending } as object);
    expect((await exitOf(peer, late))["outcome"]).toEqual({ kind: "limit", limit: "wallMs", code: 6 });
  });

  test("that cannot be enforced is refused, and nothing runs", async () => {
    await using server = await serve();
    const { peer, result } = await extended(server.url);
    await using _ = peer;
    const { limits: able } = result["trees"] as { limits: string[] };
    using directory = scratchDirectory();
    for (const limit of ["memoryBytes", "pids"].filter((name) => !able.includes(name))) {
      const params = peer.startParams({ argv: ["touch", `${directory.path}/ran`] });
      const { code, message } = await refusal(
        peer.call("process/start", { ...params, limits: { [limit]: 50 } }),
      );
      expect([code, message]).toEqual([-32602, expect.stringContaining(`limit ${limit} cannot be enforced`)]);
    }
    for (const limits of [{ wallMs: 0 }, { wallMs: -1 }, { wallMs: "1" }, 5]) {
      const params = { ...peer.startParams({ argv: ["touch", `${directory.path}/ran`] }), limits };
      expect((await refusal(peer.call("process/start", params))).code).toBe(-32602);
    }
    expect(existsSync(`${directory.path}/ran`)).toBe(false);
  });
});

describe("those whom a process leaves", () => {
  const script = "setsid sleep 600 </dev/null >/dev/null 2>&1 & echo $!";
  const up = 'until [ "$(cat /proc/$!/comm)" = sleep ]; do sleep 0.01; done';

  test("die with it, stay, or are named, as was asked", async () => {
    await using server = await serve();
    const { peer } = await extended(server.url);
    await using _ = peer;
    const left = async (leftovers: string) => {
      const id = await peer.shell(`${script}; ${up}`, { leftovers } as object);
      const exit = await exitOf(peer, id);
      return { pid: Number(peer.output(id)), exit };
    };
    const killed = await left("kill");
    await untilTrue(() => !isAlive(killed.pid), "its end");
    expect(killed.exit["leftovers"]).toBeUndefined();
    const kept = await left("keep");
    expect([isAlive(kept.pid), kept.exit["leftovers"]]).toEqual([true, undefined]);
    const named = await left("report");
    expect(named.exit["leftovers"]).toEqual({ count: 1, processes: [{ pid: named.pid, name: "sleep" }] });
    for (const { pid } of [kept, named]) process.kill(pid, "SIGKILL");
  });

  test("who hold its output are heard until somebody ends it, and die then", async () => {
    await using server = await serve();
    const { peer } = await extended(server.url);
    await using _ = peer;
    const id = await peer.shell(
      "setsid sh -c 'echo held; exec sleep 600' & echo $!",
      { leftovers: "kill" } as object,
    );
    await peer.outputWith(id, "held");
    await peer.waitUntil(() => peer.messages.some(({ method }) => method === "process/exited"), "the exit");
    const pid = Number(peer.output(id).split("\n").find((line) => /^\d+$/.test(line)));
    expect(isAlive(pid)).toBe(true);
    expect(await peer.call<object>("process/terminate", { processId: id })).toMatchObject({ running: false });
    await peer.outcome(id);
    await untilTrue(() => !isAlive(pid), "its end");
  });

  test("an answer to terminate tells how many are asked and not killed", async () => {
    await using server = await serve();
    const { peer } = await extended(server.url);
    await using _ = peer;
    const deaf = `trap "" TERM; echo up; while :; do sleep 0.05; done`;
    const id = await peer.shell(`setsid sh -c '${deaf}' & ${deaf}`, { leftovers: "kill" } as object);
    await peer.outputWith(id, "up\nup");
    const graced = { processId: id, signal: "TERM", graceMs: 60_000 };
    const { survivors } = await peer.call<{ survivors: number }>("process/terminate", graced);
    expect(survivors).toBeGreaterThanOrEqual(2);
    expect(await peer.call<object>("process/terminate", { processId: id })).toEqual({
      running: true,
      survivors: 0,
    });
    await peer.outcome(id);
  });
});

describe("a start with an id", () => {
  test("happens once, however often it is asked for", async () => {
    await using server = await serve();
    const { peer, result } = await extended(server.url);
    using directory = scratchDirectory();
    const script = `echo ran >> ${directory.path}/log; echo up; exec sleep 600`;
    const params = { ...peer.startParams({ argv: ["/bin/sh", "-c", script] }), startId: "first" };
    const answer = await peer.call<object>("process/start", params);
    expect(await peer.call<object>("process/start", params)).toEqual(answer);
    await peer.outputWith(params.processId, "up");
    await peer.hangUp();
    await server.settle();
    const again = await extended(server.url, EXTENSIONS, result["sessionId"] as string);
    await using _ = again.peer;
    expect(await again.peer.call<object>("process/start", params)).toEqual(answer);
    expect(readFileSync(`${directory.path}/log`, "utf8")).toBe("ran\n");
    expect(Buffer.from((await again.peer.read(params.processId, {})).chunks[0]!.chunk, "base64").toString())
      .toBe("up\n");
  });

  test("is refused when it is another, and can be asked for anew when it failed", async () => {
    await using server = await serve();
    const { peer } = await extended(server.url);
    await using _ = peer;
    const params = { ...peer.startParams({ argv: ["/bin/sleep", "600"] }), startId: "one" };
    await peer.call("process/start", params);
    for (const other of [{ argv: ["/bin/sleep", "601"] }, { processId: "other" }, { env: { A: "1" } }]) {
      expect(await refusal(peer.call("process/start", { ...params, ...other }))).toEqual({
        code: -32602,
        message: "start id one was given to another start",
      });
    }
    expect((await refusal(peer.call("process/start", { ...params, startId: "two" }))).code).toBe(-32600);
    using directory = scratchDirectory();
    const missing = { ...peer.startParams({ argv: [`${directory.path}/tool`] }), startId: "three" };
    expect((await refusal(peer.call("process/start", missing))).code).toBe(-32603);
    await Bun.write(`${directory.path}/tool`, "#!/bin/sh\nexit 5\n");
    await Bun.$`chmod +x ${directory.path}/tool`;
    await peer.call("process/start", missing);
    expect((await peer.outcome(missing.processId)).exitCode).toBe(5);
  });
});

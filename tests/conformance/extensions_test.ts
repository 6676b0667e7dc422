import { describe, expect, test } from "bun:test";
import { EXTENSIONS } from "../../lib/wire/extensions.ts";
import { extended } from "../support/extended_peer.ts";
import { Peer } from "../support/peer.ts";
import { refusal } from "../support/peer_conversation.ts";
import { oursTarget } from "../support/target_ours.ts";

// What two of ours say beyond the Codex protocol. A plain peer sees none of it.

const MIB = 1024 * 1024;
const serve = () => oursTarget().serve();

describe("negotiation", () => {
  test("a peer that names no extension is told of none, and cannot use any", async () => {
    await using server = await serve();
    await using peer = await Peer.connect(server.url);
    const result = await peer.call<Record<string, unknown>>("initialize", { clientName: "plain" });
    peer.notify("initialized", {});
    expect(Object.keys(result).sort()).toEqual(["environmentInfo", "sessionId"]);
    for (const method of ["process/resize", "process/closeStdin"]) {
      expect((await refusal(peer.call(method, {}))).code).toBe(-32601);
    }
    const id = await peer.shell("stty size", { tty: true, size: { rows: 7, cols: 9 } } as object);
    await peer.outcome(id);
    expect(peer.output(id)).toBe("24 80\r\n");
    expect((await refusal(peer.call("process/signal", { processId: id, signal: "TERM" }))).code).toBe(-32602);
    peer.notify("process/ack", { processId: id, seq: 1 });
    await peer.closed;
  });

  test("both sides' names are agreed, and unknown ones are ignored", async () => {
    await using server = await serve();
    const { peer, result } = await extended(server.url, ["flow.v1", "future.v9", "terminal.v1"]);
    await using _ = peer;
    expect(result["extensions"]).toEqual(["terminal.v1", "flow.v1"]);
    expect(result["flow"]).toEqual({ windowBytes: 4 * MIB });
    expect((await refusal(peer.call("process/closeStdin", {}))).code).toBe(-32601);
  });
});

describe("terminal.v1", () => {
  test("a size at start and a resize reach the program", async () => {
    await using server = await serve();
    const { peer } = await extended(server.url);
    await using _ = peer;
    const script = `trap 'stty size; exit' WINCH; stty size; while :; do sleep 0.02; done`;
    const id = await peer.shell(script, { tty: true, size: { rows: 7, cols: 9 } } as object);
    await peer.outputWith(id, "7 9");
    await peer.call("process/resize", { processId: id, rows: 50, cols: 132 });
    await peer.outputWith(id, "50 132");
    expect((await peer.outcome(id)).exitCode).toBe(0);
    for (const [rows, cols] of [[0, 80], [24, 0], [65_536, 80], [-1, 80], [1.5, 80]]) {
      const { code } = await refusal(peer.call("process/resize", { processId: id, rows, cols }));
      expect(code).toBe(-32602);
    }
  });

  test("a death by a signal on a terminal is told as 128 + n", async () => {
    await using server = await serve();
    const { peer } = await extended(server.url);
    await using _ = peer;
    expect((await peer.run({ argv: ["/bin/sh", "-c", "kill -TERM $$"], tty: true })).exitCode).toBe(143);
  });
});

describe("stdin.v1", () => {
  test("the end of input comes after every accepted write, once", async () => {
    await using server = await serve();
    const { peer } = await extended(server.url);
    await using _ = peer;
    const id = await peer.start({ argv: ["/bin/cat"], pipeStdin: true });
    await peer.write(id, "one ", "1");
    await peer.write(id, "two", "2");
    const close = { processId: id, writeId: "3" };
    expect(await peer.call<object>("process/closeStdin", close)).toEqual({ status: "accepted" });
    expect(await peer.call<object>("process/closeStdin", close)).toEqual({ status: "accepted" });
    const { exitCode } = await peer.outcome(id);
    expect([peer.output(id), exitCode]).toEqual(["one two", 0]);
  });

  test("a write after the end is refused as such, and a process without input has none to close", async () => {
    await using server = await serve();
    const { peer } = await extended(server.url);
    await using _ = peer;
    const id = await peer.shell("sleep 60", { pipeStdin: true });
    await peer.call("process/closeStdin", { processId: id, writeId: "1" });
    expect(await peer.write(id, "late", "2")).toBe("stdinClosed");
    const deaf = await peer.shell("sleep 60");
    const answer = await peer.call<object>("process/closeStdin", { processId: deaf, writeId: "1" });
    expect(answer).toEqual({ status: "stdinClosed" });
    const unknown = await peer.call<object>("process/closeStdin", { processId: "nobody", writeId: "1" });
    expect(unknown).toEqual({ status: "unknownProcess" });
  });

  test("on a terminal it is the end-of-file key", async () => {
    await using server = await serve();
    const { peer } = await extended(server.url);
    await using _ = peer;
    const id = await peer.start({ argv: ["/bin/cat"], tty: true });
    await peer.call("process/closeStdin", { processId: id, writeId: "1" });
    expect((await peer.outcome(id)).exitCode).toBe(0);
  });
});

describe("signals.v1", () => {
  test("every signal reaches the group", async () => {
    await using server = await serve();
    const { peer } = await extended(server.url);
    await using _ = peer;
    for (const name of ["TERM", "HUP", "QUIT", "USR1", "USR2", "INT"]) {
      const id = await peer.shell(
        `trap 'echo got ${name}; exit 9' ${name}; echo up; while :; do sleep 0.02; done`,
      );
      await peer.outputWith(id, "up");
      await peer.call("process/signal", { processId: id, signal: name });
      await peer.outputWith(id, `got ${name}`);
      expect((await peer.outcome(id)).exitCode).toBe(9);
    }
    const id = await peer.shell("sleep 60");
    await peer.call("process/signal", { processId: id, signal: "KILL" });
    expect((await peer.outcome(id)).exitCode).toBe(137);
  });

  test("an end with grace asks first, and forces after the grace", async () => {
    await using server = await serve();
    const { peer } = await extended(server.url);
    await using _ = peer;
    const polite = await peer.shell("trap 'exit 5' TERM; echo up; while :; do sleep 0.02; done");
    await peer.outputWith(polite, "up");
    await peer.call("process/terminate", { processId: polite, signal: "TERM", graceMs: 60_000 });
    expect((await peer.outcome(polite)).exitCode).toBe(5);
    const stubborn = await peer.shell("trap '' TERM; echo up; while :; do sleep 0.02; done");
    await peer.outputWith(stubborn, "up");
    await peer.call("process/terminate", { processId: stubborn, signal: "TERM", graceMs: 50 });
    expect((await peer.outcome(stubborn)).exitCode).toBe(137);
  });
});

describe("flow.v1", () => {
  const FLOOD = { argv: ["/usr/bin/head", "-c", String(12 * MIB), "/dev/zero"] };
  /** By the length of the base64, for these are looked at after every message. */
  const sizeOf = (base64: string) =>
    base64.length * 3 / 4 - (base64.endsWith("==") ? 2 : base64.endsWith("=") ? 1 : 0);
  const received = (peer: Peer, id: string) =>
    peer.chunks(id).reduce((sum, { chunk }) => sum + sizeOf(chunk), 0);

  test("a child is held once a window's worth is not acknowledged, and goes on when it is", async () => {
    await using server = await serve();
    const { peer } = await extended(server.url);
    await using _ = peer;
    const id = await peer.start(FLOOD);
    await peer.waitUntil(() => received(peer, id) >= 4 * MIB, "a window's worth");
    // Whatever is on its way comes before the answer to a request sent now.
    for (let i = 0; i < 20; i++) await peer.call("environment/status", null);
    expect(received(peer, id)).toBeLessThan(5 * MIB);
    const acknowledge = () => peer.notify("process/ack", { processId: id, seq: peer.chunks(id).at(-1)?.seq });
    while (received(peer, id) < 12 * MIB) {
      const before = received(peer, id);
      acknowledge();
      await peer.waitUntil(() => received(peer, id) > before, "more after an acknowledgement");
    }
    acknowledge();
    expect((await peer.outcome(id)).exitCode).toBe(0);
  });

  test("nothing unacknowledged is forgotten while the reader is away", async () => {
    await using server = await serve();
    const first = await extended(server.url);
    const id = await first.peer.start(FLOOD);
    await first.peer.waitUntil(() => received(first.peer, id) > 0, "the first output");
    await first.peer.hangUp();
    await server.settle();
    const { peer } = await extended(server.url, EXTENSIONS, first.result["sessionId"] as string);
    await using _ = peer;
    // It acknowledged nothing before, so all of it is there, from the first byte.
    let after = 0;
    let total = 0;
    for (let closed = false; !closed;) {
      const page = await peer.read(id, { afterSeq: after, waitMs: 5_000 });
      for (const { seq, chunk } of page.chunks) {
        total += Buffer.from(chunk, "base64").length;
        after = seq;
      }
      peer.notify("process/ack", { processId: id, seq: after });
      closed = page.closed && page.chunks.length === 0;
    }
    expect(total).toBe(12 * MIB);
  });
});

import { expect } from "bun:test";
import { Peer } from "../support/peer.ts";
import type { Message } from "../support/peer_conversation.ts";
import { bytesOf, type Chunk } from "../support/peer_outcome.ts";
import { onEachTarget } from "./on_each_target.ts";

const MIB = 1024 * 1024;
const BOTH_STREAMS = "for i in 1 2 3 4 5; do echo out$i; echo err$i >&2; done";

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

/** Equality without a report of a hundred thousand lines. */
function expectSuffix(chunks: Chunk[], all: Chunk[]): void {
  expect(chunks.length).toBeGreaterThan(0);
  expect(Bun.deepEquals(chunks, all.slice(-chunks.length))).toBe(true);
}

onEachTarget(({ target, test }) => {
  test("41 output, exited and closed are numbered from 1 without holes or repeats, closed last", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    for (const tty of [false, true]) {
      for (let round = 0; round < 10; round++) {
        const { seqs, exitedSeq, closedSeq, kinds, exitCode } = await peer.run({
          argv: ["/bin/sh", "-c", `${BOTH_STREAMS}; exit 3`],
          tty,
        });
        expect(seqs.sort((a, b) => a - b)).toEqual(upTo(seqs.length));
        expect(closedSeq).toBe(seqs.length);
        expect(exitedSeq).toBeLessThan(closedSeq);
        expect(kinds.filter((kind) => kind !== "output").sort()).toEqual(["closed", "exited"]);
        expect(exitCode).toBe(3);
      }
    }
    // A command that says nothing still has its exit and its end.
    const { seqs, exitedSeq, closedSeq } = await peer.run({ argv: ["/bin/true"] });
    expect([seqs.length, exitedSeq, closedSeq]).toEqual([2, 1, 2]);
  });

  test("42 the notifications of each process leave in seq order, of many processes at once", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const starts = upTo(40).map(() => peer.startParams({ argv: ["/bin/sh", "-c", BOTH_STREAMS] }));
    const answers = starts.map((params) => peer.call("process/start", params));
    await Promise.all(answers);
    for (const { processId } of starts) {
      const { seqs, stdout, stderr } = await peer.outcome(processId);
      expect(seqs).toEqual(upTo(seqs.length));
      expect([stdout, stderr]).toEqual(["out1\nout2\nout3\nout4\nout5\n", "err1\nerr2\nerr3\nerr4\nerr5\n"]);
    }
  });

  test("43 every exited notification and every read result says sandboxDenied", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const id = await peer.start({ argv: ["/bin/cat"], pipeStdin: true });
    expect((await peer.read(id)).sandboxDenied).toBe(false);
    await peer.terminate(id);
    expect((await peer.exited(id)).sandboxDenied).toBe(false);
    await peer.outcome(id);
    const last = await peer.read(id);
    expect(last).toEqual({
      chunks: [],
      nextSeq: 3,
      exited: true,
      exitCode: 137,
      closed: true,
      failure: null,
      sandboxDenied: false,
    });
  });

  test("44 pipes are labelled stdout and stderr, a terminal only pty", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const argv = ["/bin/sh", "-c", "echo out; echo err >&2"];
    const pipes = await peer.run({ argv });
    expect([pipes.stdout, pipes.stderr, pipes.pty]).toEqual(["out\n", "err\n", ""]);
    const terminal = await peer.run({ argv, tty: true });
    expect([terminal.stdout, terminal.stderr, terminal.pty]).toEqual(["", "", "out\r\nerr\r\n"]);
    const streams = peer.messages.filter(({ method }) => method === "process/output").map(({ params }) =>
      params?.stream
    );
    expect([...new Set(streams)].sort()).toEqual(["pty", "stderr", "stdout"]);
  });

  test("44 any bytes arrive as they were written, in padded base64", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const id = await peer.shell("printf '\\000\\377\\303'; head -c 100000 /dev/zero | tr '\\000' '\\201'");
    await peer.outcome(id);
    const chunks = peer.chunks(id);
    for (const { chunk } of chunks) expect(Buffer.from(chunk, "base64").toString("base64")).toBe(chunk);
    const expected = Buffer.concat([Buffer.from([0, 0xff, 0xc3]), Buffer.alloc(100_000, 0x81)]);
    expect(bytesOf(chunks).equals(expected)).toBe(true);
  });

  test("45 no chunk is above 64 KiB, and none is empty", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    for (const tty of [false, true]) {
      const id = await peer.start({ argv: ["/usr/bin/head", "-c", "3000000", "/dev/zero"], tty });
      await peer.outcome(id);
      const sizes = peer.chunks(id).map(({ chunk }) => Buffer.from(chunk, "base64").length);
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(3_000_000);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(65_536);
      expect(Math.min(...sizes)).toBeGreaterThan(0);
    }
  });

  test("46 at most 1 MiB is kept, and the oldest chunks go first and whole", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const id = await peer.start({ argv: ["/usr/bin/head", "-c", "3000000", "/dev/zero"] });
    const { closedSeq } = await peer.outcome(id);
    const all = peer.chunks(id);
    const { chunks, nextSeq, exited, closed } = await peer.read(id);
    expectSuffix(chunks, all);
    const kept = bytesOf(chunks).length;
    expect(kept).toBeLessThanOrEqual(MIB);
    // No more went than had to.
    const oneMore = all[all.length - chunks.length - 1];
    expect(kept + bytesOf([oneMore]).length).toBeGreaterThan(MIB);
    expect({ nextSeq, exited, closed }).toEqual({ nextSeq: closedSeq + 1, exited: true, closed: true });
  });

  test("46 at most 50000 chunks are kept, however small", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const id = await peer.start({ argv: ["/bin/dd", "if=/dev/zero", "bs=1", "status=none"] });
    // A server may gather small writes; then it is the bytes that reach their limit.
    let [chunkCount, base64Length] = [0, 0];
    const isPastTheLimits = ({ method, params }: Message) => {
      if (method !== "process/output") return false;
      base64Length += String(params?.chunk).length;
      return ++chunkCount > 52_000 || base64Length > 2 * MIB;
    };
    await peer.waitFor(isPastTheLimits, "more output than is kept");
    await peer.terminate(id);
    await peer.outcome(id);
    const all = peer.chunks(id);
    const { chunks } = await peer.read(id);
    expect(chunks.length).toBeLessThanOrEqual(50_000);
    expect(bytesOf(chunks).length).toBeLessThanOrEqual(MIB);
    expectSuffix(chunks, all);
    // One of the two limits was reached, and no more went than had to.
    const oneMore = bytesOf(all.slice(-chunks.length - 1));
    expect(chunks.length === 50_000 || oneMore.length > MIB).toBe(true);
  });
});

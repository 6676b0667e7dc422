import { expect } from "bun:test";
import { Peer } from "../support/peer.ts";
import { refusal } from "../support/peer_conversation.ts";
import { makeGate, scratchDirectory } from "../support/peer_system.ts";
import { onEachTarget } from "./on_each_target.ts";

/** A wait no test sits out: a read that must answer at once is answered within the deadline of the call. */
const FOREVER_MS = 600_000;
const U64_MAX = "18446744073709551615";

const texts = (chunks: { chunk: string }[]) => chunks.map(({ chunk }) => atob(chunk));

/** A `cat` that was given these texts, each of which became a chunk of its own. */
async function catOf(peer: Peer, pieces: string[]): Promise<string> {
  const id = await peer.start({ argv: ["/bin/cat"], pipeStdin: true });
  let all = "";
  for (const [index, piece] of pieces.entries()) {
    await peer.write(id, piece, `w${index}`);
    await peer.outputWith(id, all += piece);
  }
  return id;
}

onEachTarget(({ target, test }) => {
  test("56 maxBytes 0 returns the first chunk whole, with nextSeq behind it", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const id = await catOf(peer, ["one", "three", "seventeen"]);
    for (const [afterSeq, text] of [[0, "one"], [1, "three"], [2, "seventeen"]] as const) {
      const { chunks, nextSeq } = await peer.read(id, { afterSeq, maxBytes: 0 });
      expect({ texts: texts(chunks), seq: chunks[0].seq, nextSeq }).toEqual({
        texts: [text],
        seq: afterSeq + 1,
        nextSeq: afterSeq + 2,
      });
    }
  });

  test("56 further chunks come while they fit within maxBytes", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const id = await catOf(peer, ["one", "three", "seventeen"]);
    const expectations: [number | null, string[]][] = [
      [1, ["one"]],
      [3, ["one"]],
      [7, ["one"]],
      [8, ["one", "three"]],
      [16, ["one", "three"]],
      [17, ["one", "three", "seventeen"]],
      [1000, ["one", "three", "seventeen"]],
      [null, ["one", "three", "seventeen"]],
    ];
    for (const [maxBytes, expected] of expectations) {
      const { chunks, nextSeq } = await peer.read(id, { maxBytes });
      expect({ maxBytes, texts: texts(chunks), nextSeq }).toEqual({
        maxBytes,
        texts: expected,
        nextSeq: expected.length + 1,
      });
    }
  });

  test("57 without maxBytes nextSeq counts exited and closed, with it only what was returned", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const id = await peer.start({ argv: ["/bin/echo", "x"] });
    const { closedSeq } = await peer.outcome(id);
    expect(closedSeq).toBe(3);
    expect((await peer.read(id)).nextSeq).toBe(4);
    expect((await peer.read(id, { maxBytes: null, afterSeq: null, waitMs: null })).nextSeq).toBe(4);
    const { chunks, nextSeq } = await peer.read(id, { maxBytes: 1000 });
    expect(nextSeq).toBe(chunks[0].seq + 1);
    // With no chunk to return, it is the next unused number as well.
    expect((await peer.read(id, { maxBytes: 1000, afterSeq: chunks[0].seq })).nextSeq).toBe(4);
    expect(await peer.read(id, { afterSeq: 3 })).toMatchObject({
      chunks: [],
      nextSeq: 4,
      exited: true,
      closed: true,
    });
  });

  test("59 once closed, a read returns at once whatever afterSeq and waitMs are", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    await peer.run({ processId: "p", argv: ["/bin/echo", "x"] });
    const [{ seq }] = peer.chunks("p");
    for (const afterSeq of ["0", "1", "2", "3", "99", String(Number.MAX_SAFE_INTEGER), U64_MAX]) {
      for (const waitMs of [String(FOREVER_MS), U64_MAX]) {
        const params = `{"processId":"p","afterSeq":${afterSeq},"waitMs":${waitMs}}`;
        const result = await peer.ask(
          "read",
          "process/read",
          `{"id":"read","method":"process/read","params":${params}}`,
        );
        expect(result).toMatchObject({ nextSeq: 4, exited: true, exitCode: 0, closed: true });
        expect((result as { chunks: unknown[] }).chunks).toHaveLength(Number(afterSeq) < seq ? 1 : 0);
      }
    }
  });

  test("60 a read of nothing new times out at waitMs with an empty result", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const id = await catOf(peer, ["one"]);
    const begun = performance.now();
    const result = await peer.read(id, { afterSeq: 1, waitMs: 150 });
    // Clocks are read in whole milliseconds in between.
    expect(performance.now() - begun).toBeGreaterThanOrEqual(145);
    const nothing = { exited: false, exitCode: null, closed: false, failure: null, sandboxDenied: false };
    expect(result).toEqual({ chunks: [], nextSeq: 2, ...nothing });
    expect(await peer.read(id, { afterSeq: 1 })).toEqual({ chunks: [], nextSeq: 2, ...nothing });
    expect((await refusal(peer.read(id, { afterSeq: -1 }))).code).toBe(-32602);
    expect((await refusal(peer.read(id, { waitMs: 1.5 }))).code).toBe(-32602);
  });

  test("60 a cursor beyond the end waits until time is up, output or not", async () => {
    using directory = scratchDirectory();
    using gate = await makeGate(`${directory.path}/gate`);
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const id = await peer.shell("read go < gate; echo x; read go < gate", {
      cwd: `file://${directory.path}`,
    });
    const begun = performance.now();
    const waiting = peer.read(id, { afterSeq: 99, waitMs: 300 });
    gate.open();
    expect(await waiting).toMatchObject({ chunks: [], nextSeq: 2, exited: false });
    expect(performance.now() - begun).toBeGreaterThanOrEqual(295);
  });

  test("60 a read of output that is awaited returns with it, however long it would wait", async () => {
    using directory = scratchDirectory();
    using gate = await makeGate(`${directory.path}/gate`);
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    await peer.shell("read go < gate; echo x; read go < gate", {
      cwd: `file://${directory.path}`,
      processId: "p",
    });
    const params = `{"processId":"p","waitMs":${U64_MAX}}`;
    const waiting = peer.ask("r", "process/read", `{"id":"r","method":"process/read","params":${params}}`);
    gate.open();
    expect(await waiting).toMatchObject({
      chunks: [{ seq: 1, stream: "stdout", chunk: btoa("x\n") }],
      nextSeq: 2,
    });
  });

  test("60 a read of an unknown id fails at once, however long it would wait", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    for (const id of ["nobody", ""]) {
      expect(await refusal(peer.read(id, { waitMs: FOREVER_MS }))).toEqual({
        code: -32600,
        message: `unknown process id ${id}`,
      });
    }
  });
});

import { expect } from "bun:test";
import { Peer } from "../support/peer.ts";
import { refusal } from "../support/peer_conversation.ts";
import { bytesOf } from "../support/peer_outcome.ts";
import { makeGate, scratchDirectory } from "../support/peer_system.ts";
import { onEachTarget } from "./on_each_target.ts";

const RETENTION_MS = 80_000;
/** A wait no test sits out: a read that must answer at once is answered within the deadline of the call. */
const FOREVER_MS = 600_000;
const texts = (chunks: { chunk: string }[]) => chunks.map(({ chunk }) => atob(chunk));

onEachTarget(({ target, test, timed }) => {
  test("58 a waiting read returns with the exit, then only with late output, then with closed", async () => {
    using directory = scratchDirectory();
    using gate = await makeGate(`${directory.path}/gate`);
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const grandchild = "(read go < gate; echo late; read go < gate; exec sleep 0)";
    const id = await peer.shell(`read go < gate; ${grandchild} & exit 5`, {
      cwd: `file://${directory.path}`,
    });
    const waiting = peer.read(id, { waitMs: FOREVER_MS });
    gate.open();
    expect(await waiting).toMatchObject({ chunks: [], nextSeq: 2, exited: true, exitCode: 5, closed: false });
    // Whoever has not seen the exit is told at once; whoever has, waits.
    expect((await peer.read(id, { waitMs: FOREVER_MS })).nextSeq).toBe(2);
    expect((await peer.read(id, { afterSeq: 1, waitMs: 50 })).closed).toBe(false);
    const late = peer.read(id, { afterSeq: 1, waitMs: FOREVER_MS });
    gate.open();
    const { chunks, nextSeq, closed } = await late;
    expect({ texts: texts(chunks), nextSeq, closed }).toEqual({
      texts: ["late\n"],
      nextSeq: 3,
      closed: false,
    });
    const end = peer.read(id, { afterSeq: 2, waitMs: FOREVER_MS });
    gate.open();
    expect(await end).toMatchObject({ chunks: [], nextSeq: 4, exited: true, exitCode: 5, closed: true });
  });

  test("61 exited does not wait for the pipes; late output follows it, and closed the end of the pipes", async () => {
    using directory = scratchDirectory();
    using gate = await makeGate(`${directory.path}/gate`);
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const id = await peer.shell("(read go < gate; echo late; echo later >&2) & echo now; exit 3", {
      cwd: `file://${directory.path}`,
    });
    const { exitCode, seq } = await peer.exited(id);
    await peer.outputWith(id, "now\n");
    expect(exitCode).toBe(3);
    expect(peer.notifications("process/closed", id)).toEqual([]);
    expect(await peer.read(id)).toMatchObject({ exited: true, exitCode: 3, closed: false, nextSeq: 3 });
    gate.open();
    const { stdout, stderr, seqs, closedSeq } = await peer.outcome(id);
    expect([stdout, stderr]).toEqual(["now\nlate\n", "later\n"]);
    expect(seqs.sort()).toEqual([1, 2, 3, 4, 5]);
    expect(closedSeq).toBe(5);
    const { chunks } = await peer.read(id);
    expect(chunks.filter((chunk) => chunk.seq > seq && chunk.seq > 2)).toHaveLength(2);
    expect(bytesOf(chunks)).toHaveLength("now\nlate\nlater\n".length);
  });

  timed("62 an exited process with an open stream stays readable beyond the retention time", async () => {
    using directory = scratchDirectory();
    using gate = await makeGate(`${directory.path}/gate`);
    await using server = await target.serve({ movableTime: true });
    await using peer = await Peer.ready(server.url);
    const id = await peer.shell("(read go < gate; echo late) & echo now; exit 3", {
      cwd: `file://${directory.path}`,
    });
    await peer.exited(id);
    await peer.outputWith(id, "now\n");
    await server.advance(RETENTION_MS + 5_000);
    expect(await peer.read(id)).toMatchObject({ exited: true, exitCode: 3, closed: false });
    gate.open();
    expect((await peer.outcome(id)).stdout).toBe("now\nlate\n");
    expect((await peer.read(id)).closed).toBe(true);
    // From now on the retention counts.
    await server.advance(RETENTION_MS + 1_000);
    expect((await refusal(peer.read(id))).message).toBe(`unknown process id ${id}`);
  });
});

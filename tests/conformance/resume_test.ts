import { expect } from "bun:test";
import { Peer } from "../support/peer.ts";
import { bytesOf } from "../support/peer_outcome.ts";
import { refusedResume, resume, STILL_ATTACHED } from "../support/peer_resume.ts";
import { isAlive, makeGate, scratchDirectory, untilFile, untilGroupIsGone } from "../support/peer_system.ts";
import { onEachTarget } from "./on_each_target.ts";

const TTL_MS = 80_000;

onEachTarget(({ target, test, timed }) => {
  test("35 a resume while attached is refused with -32010, and the holder is not disturbed", async () => {
    await using server = await target.serve();
    await using holder = await Peer.connect(server.url);
    const { sessionId } = await holder.initialize();
    const id = await holder.start({ argv: ["/bin/cat"], pipeStdin: true });
    await using other = await Peer.connect(server.url);
    for (let round = 0; round < 3; round++) {
      const refused = other.call("initialize", { clientName: "c", resumeSessionId: sessionId });
      expect(await refused.catch((error) => error.body)).toEqual({
        code: STILL_ATTACHED,
        message: `session ${sessionId} is already attached to another connection`,
      });
    }
    expect(await holder.write(id, "still here\n", "1")).toBe("accepted");
    await holder.outputWith(id, "still here\n");
    // The refused connection is still new, and good for a session of its own.
    expect((await other.initialize()).sessionId).not.toBe(sessionId);
    expect(await other.terminate(id)).toBe(false);
  });

  test("36 a resume succeeds within 500 ms after the old socket closed, even during its 5 s long poll", async () => {
    await using server = await target.serve();
    await using first = await Peer.connect(server.url);
    const { sessionId } = await first.initialize();
    const id = await first.start({ argv: ["/bin/cat"], pipeStdin: true });
    first.read(id, { afterSeq: 0, waitMs: 5_000 }).catch(() => {});
    // What was sent on the same connection before is there before what is sent on another one after.
    await server.settle();
    const closedAt = performance.now();
    await first.hangUp();
    await using second = await resume(server.url, sessionId, 500);
    expect(performance.now() - closedAt).toBeLessThan(500);
    expect(await second.write(id, "after\n", "1")).toBe("accepted");
    await second.outputWith(id, "after\n");
  });

  test("36 a session can be resumed again and again, with the same id each time", async () => {
    await using server = await target.serve();
    let peer = await Peer.connect(server.url);
    const { sessionId } = await peer.initialize();
    const id = await peer.start({ argv: ["/bin/cat"], pipeStdin: true });
    for (let round = 1; round <= 5; round++) {
      await peer.hangUp();
      peer = await resume(server.url, sessionId);
      const answers = peer.messages.filter(({ result }) => result !== undefined);
      expect(answers.map(({ result }) => result)).toMatchObject([{ sessionId }]);
      expect(await peer.write(id, `round ${round}\n`, `w${round}`)).toBe("accepted");
      await peer.outputWith(id, `round ${round}\n`);
    }
    await peer.hangUp();
  });

  test("37 unknown, empty and wrong-case session ids are refused by name", async () => {
    await using server = await target.serve();
    await using holder = await Peer.connect(server.url);
    const { sessionId } = await holder.initialize();
    const strange = ["", "x", "00000000-0000-4000-8000-000000000000", ` ${sessionId}`];
    // An id of digits only has no other case; one in 16 million does.
    if (sessionId !== sessionId.toUpperCase()) strange.push(sessionId.toUpperCase());
    for (const id of strange) {
      expect(await refusedResume(server.url, id)).toEqual({
        code: -32600,
        message: `unknown session id ${id}`,
      });
    }
  });

  timed(
    "38 processes run on while detached, and a resume at the TTL less 2 s finds them, each time anew",
    async () => {
      await using server = await target.serve({ movableTime: true });
      const first = await Peer.connect(server.url);
      const { sessionId } = await first.initialize();
      const id = await first.start({ argv: ["/bin/cat"], pipeStdin: true });
      await first.hangUp();
      for (let round = 1; round <= 2; round++) {
        await server.settle();
        await server.advance(TTL_MS - 2_000);
        const next = await resume(server.url, sessionId);
        expect(await next.write(id, `round ${round}\n`, `w${round}`)).toBe("accepted");
        await next.outputWith(id, `round ${round}\n`);
        await next.hangUp();
      }
    },
  );

  timed("39 after the TTL the processes are killed and the session is unknown", async () => {
    await using server = await target.serve({ movableTime: true });
    const peer = await Peer.connect(server.url);
    const { sessionId } = await peer.initialize();
    const groups: number[] = [];
    for (const tty of [false, true]) {
      const id = await peer.shell("trap '' HUP INT TERM; sleep 300 & echo pid=$$.; sleep 300", { tty });
      groups.push(Number((await peer.outputWith(id, ".")).match(/pid=(\d+)/)?.[1]));
    }
    await peer.hangUp();
    await server.settle();
    expect(groups.every(isAlive)).toBe(true);
    await server.advance(TTL_MS + 1_000);
    for (const group of groups) await untilGroupIsGone(group);
    expect(await refusedResume(server.url, sessionId)).toEqual({
      code: -32600,
      message: `unknown session id ${sessionId}`,
    });
  });

  test("40 events missed while detached are not notified later; process/read serves them without a hole", async () => {
    using directory = scratchDirectory();
    using gate = await makeGate(`${directory.path}/gate`);
    const written = `${directory.path}/written`;
    await using server = await target.serve();
    const first = await Peer.connect(server.url);
    const { sessionId } = await first.initialize();
    const block = 300_000;
    const id = await first.shell(
      `echo before; read go < gate; head -c ${block} /dev/zero; : > written; read go < gate; echo after`,
      { cwd: `file://${directory.path}` },
    );
    await first.outputWith(id, "before\n");
    await first.hangUp();
    await server.settle();
    gate.open();
    await untilFile(written);
    await using second = await resume(server.url, sessionId);
    // Once all is written, all but what a pipe holds (64 KiB) was read by the server while nobody was attached.
    let missed = await second.read(id, { afterSeq: 1 });
    while (bytesOf(missed.chunks).length < block) missed = await second.read(id, { afterSeq: 1, waitMs: 50 });
    expect(missed.chunks.map(({ seq }) => seq)).toEqual(missed.chunks.map((_, index) => index + 2));
    expect(missed.nextSeq).toBe(missed.chunks.length + 2);
    expect(bytesOf(missed.chunks).equals(Buffer.alloc(block))).toBe(true);
    let surelyMissed = 0;
    for (let bytes = 0; bytes + missed.chunks[surelyMissed].chunk.length <= block - 65_536; surelyMissed++) {
      bytes += missed.chunks[surelyMissed].chunk.length;
    }
    gate.open();
    await second.waitFor(
      ({ method, params }) => method === "process/closed" && params?.processId === id,
      "the end",
    );
    const { nextSeq, exited, closed } = await second.read(id, { afterSeq: missed.nextSeq - 1 });
    expect({ exited, closed }).toEqual({ exited: true, closed: true });
    await second.waitUntil(() => second.output(id).endsWith("after\n"), "what came after");
    const notified = ["output", "exited", "closed"]
      .flatMap((kind) => second.notifications(`process/${kind}`, id))
      .map(({ params }) => params?.seq as number);
    expect(surelyMissed).toBeGreaterThan(0);
    expect(Math.min(...notified)).toBeGreaterThan(missed.chunks[surelyMissed - 1].seq);
    // What is notified live goes on where the read ended, without a hole.
    const live = notified.filter((seq) => seq >= missed.nextSeq).sort((a, b) => a - b);
    expect(live).toEqual(
      Array.from({ length: nextSeq - missed.nextSeq }, (_, index) => missed.nextSeq + index),
    );
  });
});

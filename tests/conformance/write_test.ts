import { expect } from "bun:test";
import { Peer } from "../support/peer.ts";
import { refusal } from "../support/peer_conversation.ts";
import { resume } from "../support/peer_resume.ts";
import { onEachTarget } from "./on_each_target.ts";

const REMEMBERED = 4096;

onEachTarget(({ target, test }) => {
  const startCat = (peer: Peer) => peer.start({ argv: ["/bin/cat"], pipeStdin: true });

  test("63 a write is unknownProcess, stdinClosed or accepted, as the process is", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    expect(await peer.write("nobody", "x", "1")).toBe("unknownProcess");
    const closed = await peer.shell("exit 0");
    expect(await peer.write(closed, "x", "1")).toBe("stdinClosed");
    await peer.outcome(closed);
    expect(await peer.write(closed, "x", "1")).toBe("stdinClosed");
    const piped = await startCat(peer);
    expect(await peer.write(piped, "x\n", "1")).toBe("accepted");
    await peer.outputWith(piped, "x\n");
    const terminal = await peer.start({ argv: ["/bin/cat"], tty: true });
    expect(await peer.write(terminal, "x\n", "1")).toBe("accepted");
    await peer.outputWith(terminal, "x\r\nx\r\n");
  });

  test("63 an empty writeId, a chunk that is no base64 and missing members are -32602, for unknown processes too", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const cat = await startCat(peer);
    for (const processId of [cat, "nobody"]) {
      expect(await refusal(peer.call("process/write", { processId, chunk: "", writeId: "" }))).toEqual({
        code: -32602,
        message: "writeId must not be empty",
      });
      const wrong: object[] = ["Zg", "Zg=", "Z g=", "Zh==", "Zg==\n", "_-==", "Zg==Zg==", "*"].map((
        chunk,
      ) => ({ chunk }));
      wrong.push({ writeId: null }, { writeId: 1 }, { chunk: null }, { processId: null }, {
        writeId: undefined,
      });
      for (const change of wrong) {
        const { code } = await refusal(
          peer.call("process/write", { processId, chunk: "Zg==", writeId: "1", ...change }),
        );
        expect({ change, code }).toEqual({ change, code: -32602 });
      }
    }
    // None of them was remembered.
    expect(await peer.write(cat, "g\n", "1")).toBe("accepted");
    expect(await peer.outputWith(cat, "\n")).toBe("g\n");
  });

  test("63 after a natural exit, or when the child closed its stdin, a write is accepted and vanishes", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const gone = await peer.start({ argv: ["/bin/true"], pipeStdin: true });
    await peer.outcome(gone);
    const deaf = await peer.shell("exec <&-; echo closed; exec sleep 300", { pipeStdin: true });
    await peer.outputWith(deaf, "closed");
    for (const id of [gone, deaf]) {
      for (const writeId of ["1", "2", "3", "3"]) expect(await peer.write(id, "x", writeId)).toBe("accepted");
    }
    expect(await peer.terminate(deaf)).toBe(true);
  });

  test("64 a repeated writeId writes once, whatever it carries, also after a resume", async () => {
    await using server = await target.serve();
    const first = await Peer.connect(server.url);
    const { sessionId } = await first.initialize();
    const id = await startCat(first);
    expect(await first.write(id, "one\n", "1")).toBe("accepted");
    expect(await first.write(id, "one\n", "1")).toBe("accepted");
    expect(await first.write(id, "other\n", "1")).toBe("accepted");
    // An empty chunk is legal, and its id is taken.
    expect(await first.write(id, "", "2")).toBe("accepted");
    expect(await first.write(id, "two\n", "2")).toBe("accepted");
    await first.outputWith(id, "one\n");
    await first.hangUp();
    await using second = await resume(server.url, sessionId);
    expect(await second.write(id, "one\n", "1")).toBe("accepted");
    expect(await second.write(id, "two\n", "2")).toBe("accepted");
    expect(await second.write(id, "end\n", "3")).toBe("accepted");
    await second.outputWith(id, "end\n");
    expect((await second.read(id)).chunks.map(({ chunk }) => atob(chunk)).join("")).toBe("one\nend\n");
    // Each process has its own ids.
    const other = await startCat(second);
    await second.write(other, "one\n", "1");
    await second.outputWith(other, "one\n");
  });

  test("64 the last 4096 writeIds are remembered, and no more", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const id = await startCat(peer);
    const lines = Array.from({ length: REMEMBERED + 1 }, (_, index) => `k${index}\n`);
    for (let start = 0; start < lines.length; start += 100) {
      await Promise.all(lines.slice(start, start + 100).map((line) => peer.write(id, line, line)));
    }
    for (const line of ["k1\n", `k${REMEMBERED}\n`, "k0\n"]) {
      expect(await peer.write(id, line, line)).toBe("accepted");
    }
    await peer.write(id, "end\n", "end");
    const output = await peer.outputWith(id, "end\n");
    expect(output === [...lines, "k0\n", "end\n"].join("")).toBe(true);
  });

  test("65 pipelined writes reach the child in the order they were sent", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const id = await startCat(peer);
    const lines = Array.from({ length: 500 }, (_, index) => `${index} ${"x".repeat((index * 37) % 900)}\n`);
    const inFlight = target.name === "real" ? 100 : lines.length;
    for (let start = 0; start < lines.length; start += inFlight) {
      const written = lines.slice(start, start + inFlight).map((line, i) =>
        peer.write(id, line, `w${start + i}`)
      );
      expect(new Set(await Promise.all(written))).toEqual(new Set(["accepted"]));
    }
    await peer.write(id, "end\n", "end");
    expect(await peer.outputWith(id, "end\n") === `${lines.join("")}end\n`).toBe(true);
  });

  test("66 a write after terminate is -32603, but what was accepted before still is", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    for (const tty of [false, true]) {
      const id = await peer.start({ argv: ["/bin/cat"], pipeStdin: true, tty });
      await peer.write(id, "x\n", "1");
      expect(await peer.terminate(id)).toBe(true);
      const gone = { code: -32603, message: "failed to write to process stdin" };
      // The real server drops its writer a moment after its answer.
      if (target.name === "ours") expect(await refusal(peer.write(id, "y\n", "2"))).toEqual(gone);
      await peer.outcome(id);
      expect(await refusal(peer.write(id, "y\n", "2"))).toEqual(gone);
      expect(await peer.write(id, "x\n", "1")).toBe("accepted");
    }
  });
});

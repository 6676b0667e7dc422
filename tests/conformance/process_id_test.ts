import { expect } from "bun:test";
import { Peer } from "../support/peer.ts";
import { refusal } from "../support/peer_conversation.ts";
import { onEachTarget } from "./on_each_target.ts";

const RETENTION_MS = 80_000;
const exists = (id: string) => ({ code: -32600, message: `process ${id} already exists` });

onEachTarget(({ target, test, timed }) => {
  test("47 an id is refused while its process runs, and after that as long as it is kept", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    for (const id of ["p", "", "any content \u{1f600} / ..\n"]) {
      await peer.start({ processId: id, argv: ["/bin/cat"], pipeStdin: true });
      const again = peer.startParams({ processId: id, argv: ["/bin/echo", "second"] });
      expect(await refusal(peer.call("process/start", again))).toEqual(exists(id));
      await peer.terminate(id);
      await peer.outcome(id);
      expect(await refusal(peer.call("process/start", again))).toEqual(exists(id));
      // The refused starts left no trace.
      expect(await peer.read(id)).toMatchObject({ chunks: [], exitCode: 137, closed: true });
    }
  });

  timed(
    "47 an id is free again when its process was closed for the retention time, and reads do not extend it",
    async () => {
      await using server = await target.serve({ movableTime: true });
      await using peer = await Peer.ready(server.url);
      expect((await peer.run({ processId: "p", argv: ["/bin/echo", "first"] })).stdout).toBe("first\n");
      await server.advance(RETENTION_MS - 3_000);
      const again = peer.startParams({ processId: "p", argv: ["/bin/echo", "second"] });
      expect(await refusal(peer.call("process/start", again))).toEqual(exists("p"));
      expect((await peer.read("p")).chunks).toHaveLength(1);
      await server.advance(4_000);
      expect(await refusal(peer.read("p"))).toEqual({ code: -32600, message: "unknown process id p" });
      await peer.call("process/start", again);
      const seconds = await peer.waitFor(
        ({ params }) => params?.chunk === btoa("second\n"),
        "the second process",
      );
      expect(seconds.params?.seq).toBe(1);
    },
  );

  test("48 a failed start frees the id and notifies nothing", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    for (const tty of [false, true]) {
      const params = { processId: `p${tty}`, tty, argv: ["/no/such/program"] };
      for (let round = 0; round < 3; round++) {
        expect((await refusal(peer.call("process/start", peer.startParams(params)))).code).toBe(-32603);
      }
      expect(await refusal(peer.read(params.processId))).toEqual({
        code: -32600,
        message: `unknown process id ${params.processId}`,
      });
      const outcome = await peer.run({ ...params, argv: ["/bin/sh", "-c", "exit 4"] });
      expect([outcome.seqs.length, outcome.exitCode]).toEqual([2, 4]);
    }
  });
});

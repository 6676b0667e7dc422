import { expect } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "@std/path";
import { hasPoorMachine, onPoorMachine } from "../support/poor_machine.ts";
import { Peer } from "../support/peer.ts";
import { refusal, type RefusedCall } from "../support/peer_conversation.ts";
import { scratchDirectory } from "../support/peer_system.ts";
import {
  confined,
  type Json,
  NO_NETWORK,
  READ_ONLY,
  runConfined,
  workspaceWrite,
} from "../support/sandbox_context.ts";
import { spawnServer } from "../support/target_process.ts";
import { onEachTarget } from "./on_each_target.ts";

const MAIN = join(import.meta.dir, "../../main.ts");
const hasPoor = await hasPoorMachine();
if (!hasPoor) console.warn("fs 76: not run: nobody can take user namespaces away here");

onEachTarget(({ target, test }) => {
  // The real server answers a start when its helper is spawned; what follows is about ours, which waits for the program.
  if (target.name !== "ours") return;

  test("48 a confined start that is ended at once is cancelled or ended, and its id is free or kept accordingly", async () => {
    using scratch = scratchDirectory();
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const sandbox = workspaceWrite(scratch.path);
    for (let round = 0; round < 10; round++) {
      const request = confined(peer, sandbox, { argv: ["/bin/sleep", "600"] });
      const { processId } = request;
      const started = peer.call("process/start", request).then(
        () => null,
        (error: RefusedCall) => error.body,
      );
      expect(await peer.terminate(processId)).toBe(true);
      const refusal = await started;
      if (refusal === null) {
        expect((await peer.outcome(processId)).exitCode).toBe(137);
        continue;
      }
      expect(refusal).toMatchObject({ code: -32600, message: `process ${processId} start was cancelled` });
      await peer.call(
        "process/start",
        confined(peer, sandbox, { argv: ["/bin/sh", "-c", "exit 6"], processId }),
      );
      expect(await peer.outcome(processId)).toMatchObject({ kinds: ["exited", "closed"], exitCode: 6 });
    }
  });

  test("42 the answer to a confined start comes before everything that the process does", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const ids = await Promise.all(Array.from({ length: 20 }, async () => {
      const request = confined(peer, READ_ONLY, { argv: ["/bin/echo", "x"] });
      await peer.call("process/start", request);
      return request.processId;
    }));
    for (const processId of ids) {
      const { kinds, seqs } = await peer.outcome(processId);
      expect([kinds, seqs]).toEqual([["output", "exited", "closed"], [1, 2, 3]]);
      const answered = peer.messages.findIndex(({ result }) =>
        (result as { processId?: string } | undefined)?.processId === processId
      );
      const first = peer.messages.findIndex(({ params }) => params?.["processId"] === processId);
      expect(answered).toBeGreaterThan(-1);
      expect(first).toBeGreaterThan(answered);
    }
  });

  test("50 a program or a directory that is missing inside is refused as outside", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const refused = (more: Json) => refusal(peer.call("process/start", confined(peer, READ_ONLY, more)));
    const gone = { code: -32603, message: "No such file or directory (os error 2)" };
    expect(await refused({ argv: ["no-such"] })).toMatchObject({ ...gone, data: { phase: "program" } });
    expect(await refused({ argv: ["/no/such"] })).toMatchObject({ ...gone, data: { phase: "program" } });
    expect(await refused({ cwd: "file:///no/such" })).toMatchObject({ ...gone, data: { phase: "cwd" } });
    expect(await refused({ argv: ["/etc/passwd"] })).toMatchObject({
      code: -32603,
      message: "Permission denied (os error 13)",
    });
    expect(peer.messages.filter(({ method }) => method !== undefined)).toEqual([]);
  });

  if (!hasPoor) return;
  test("fs 76 where nothing can confine files they are refused and nothing runs; the network alone still can", async () => {
    using scratch = scratchDirectory();
    await using server = await spawnServer(
      onPoorMachine([process.execPath, "--no-env-file", MAIN, "serve", "--listen", "ws://127.0.0.1:0"]),
    );
    await using peer = await Peer.ready(server.url);
    const request = confined(peer, workspaceWrite(scratch.path), {
      argv: ["/bin/sh", "-c", `echo x > ${scratch.path}/ran`],
    });
    const { code, message } = await refusal(peer.call("process/start", request));
    expect([code, message]).toEqual([
      -32602,
      expect.stringMatching(/^sandbox intent cannot be enforced on this executor: ./),
    ]);
    expect(existsSync(`${scratch.path}/ran`)).toBe(false);
    const { stderr } = await runConfined(peer, NO_NETWORK, "", {
      argv: ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/9"],
    });
    expect(stderr).toContain("Operation not permitted");
  });
});

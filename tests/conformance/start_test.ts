import { expect } from "bun:test";
import { Peer, type StartParams } from "../support/peer.ts";
import { refusal } from "../support/peer_conversation.ts";
import { chmodSync } from "node:fs";
import { putFile, scratchDirectory } from "../support/peer_system.ts";
import { onEachTarget } from "./on_each_target.ts";

onEachTarget(({ target, test }) => {
  test("49 params that do not decode are refused with -32602, and start nothing", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const good = peer.startParams({ processId: "p", argv: ["/bin/true"] });
    const without = (member: keyof StartParams) => ({ ...good, [member]: undefined });
    expect(await refusal(peer.call("process/start", { ...good, argv: [] }))).toEqual({
      code: -32602,
      message: "argv must not be empty",
    });
    for (const member of ["processId", "argv", "cwd", "env", "tty"] as const) {
      for (const params of [without(member), { ...good, [member]: null }]) {
        expect({ params, code: (await refusal(peer.call("process/start", params))).code }).toEqual({
          params,
          code: -32602,
        });
      }
    }
    for (
      const wrong of [
        ...[{ pipeStdin: null }, { pipeStdin: 1 }, { tty: "true" }, { tty: 0 }, { argv: "/bin/true" }, {
          argv: [1],
        }],
        ...[{ env: { A: 1 } }, { env: { A: null } }, { env: ["A=1"] }, { enforceManagedNetwork: null }],
        ...[{ arg0: 5 }, { cwd: 5 }, { processId: 5 }, { metadata: { threadId: "no uuid" } }, {
          envPolicy: {},
        }],
      ]
    ) {
      const { code } = await refusal(peer.call("process/start", { ...good, ...wrong }));
      expect({ wrong, code }).toEqual({ wrong, code: -32602 });
    }
    // What may be null or is unknown does no harm.
    const nulls = { arg0: null, envPolicy: null, sandbox: null, managedNetwork: null, networkProxy: null };
    const started = await peer.call("process/start", {
      ...good,
      ...nulls,
      metadata: null,
      shellSnapshot: null,
      x: 1,
    });
    expect(started).toEqual({ processId: "p", sandboxType: "none" });
    expect((await peer.outcome("p")).seqs).toHaveLength(2);
  });

  test("50 a missing program and a missing directory are -32603 in the words of the system", async () => {
    using directory = scratchDirectory();
    const file = putFile(directory.path, "file", "no program\n");
    const text = putFile(directory.path, "text", "no program\n");
    chmodSync(text, 0o755);
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const argv = ["/bin/true"];
    const expectations: [Partial<StartParams>, string, string?][] = [
      [{ argv: ["/no/such/program"] }, "No such file or directory (os error 2)", "program"],
      [{ argv: ["no-such-program"] }, "No such file or directory (os error 2)", "program"],
      [{ argv: ["./no-such-program"] }, "No such file or directory (os error 2)", "program"],
      [{ argv, cwd: "file:///no/such/directory" }, "No such file or directory (os error 2)", "cwd"],
      [{ argv, cwd: `file://${file}` }, "Not a directory (os error 20)", "cwd"],
      [{ argv: [directory.path] }, "Permission denied (os error 13)"],
      [{ argv: [file] }, "Permission denied (os error 13)"],
      [{ argv: [text] }, "Exec format error (os error 8)"],
      [{ argv: [""] }, "missing program for pipe spawn"],
      [{ argv: [""], tty: true }, "missing program for PTY spawn"],
      [{ argv: ["/bin/echo", "a\0b"] }, "nul byte found in provided data"],
      [{ argv, env: { A: "a\0b" } }, "data provided contains a nul byte"],
      [{ argv: ["/bin/echo", "a\0b"], tty: true }, "nul byte found in provided data"],
      [{ argv, env: { A: "a\0b" }, tty: true }, "data provided contains a nul byte"],
      [
        { argv: ["no-such-program"], env: { PATH: "/bin" }, tty: true },
        'Unable to spawn no-such-program because:\nNo viable candidates found in PATH "/bin"',
      ],
      [
        { argv: ["no-such-program"], env: {}, tty: true },
        "Unable to spawn no-such-program because:\nUnable to resolve the PATH",
      ],
    ];
    for (const [params, message, phase] of expectations) {
      const error = await refusal(peer.call("process/start", peer.startParams({ argv, ...params })));
      expect({ params, code: error.code, message: error.message }).toEqual({ params, code: -32603, message });
      if (target.name === "ours" && phase !== undefined) expect(error.data).toMatchObject({ phase });
    }
    if (target.name === "ours") {
      const terminal = peer.startParams({ argv, cwd: "file:///no/such/directory", tty: true });
      expect(await refusal(peer.call("process/start", terminal))).toMatchObject({
        code: -32603,
        data: { phase: "cwd" },
      });
    }
  });

  test("50 a relative program is looked for in the PATH of the child, or from its directory", async () => {
    using directory = scratchDirectory();
    chmodSync(putFile(directory.path, "hello", "#!/bin/sh\necho hello from $0\n"), 0o755);
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const cwd = `file://${directory.path}`;
    const found = await peer.run({ argv: ["hello"], env: { PATH: `/nowhere:${directory.path}` } });
    expect(found.stdout).toBe(`hello from ${directory.path}/hello\n`);
    expect((await peer.run({ argv: ["./hello"], cwd })).stdout).toBe("hello from ./hello\n");
    expect((await peer.run({ argv: ["true"], env: {} })).exitCode).toBe(0);
    expect((await peer.run({ argv: ["/bin/sh", "-c", "echo $0"], arg0: "name" })).stdout).toBe("name\n");
  });
});

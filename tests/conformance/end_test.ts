import { expect } from "bun:test";
import { Peer } from "../support/peer.ts";
import { refusal } from "../support/peer_conversation.ts";
import { isAlive, makeGate, scratchDirectory, untilGroupIsGone } from "../support/peer_system.ts";
import { onEachTarget } from "./on_each_target.ts";

/** What a script printed as `name=NUMBER.`; the dot says that the number is whole. */
async function printed(peer: Peer, id: string, name: string): Promise<number> {
  const pattern = new RegExp(`${name}=(\\d+)\\.`);
  await peer.waitUntil(() => pattern.test(peer.output(id)), `${name} from ${id}`);
  return Number(peer.output(id).match(pattern)?.[1]);
}

onEachTarget(({ target, test }) => {
  test("67 a signal interrupts every process of the group", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const inner = "trap 'echo inner; exit 0' INT; echo ready; while :; do sleep 1; done";
    for (const tty of [false, true]) {
      const id = await peer.shell(
        `trap 'echo outer; exit 7' INT; /bin/sh -c "${inner}"; while :; do sleep 1; done`,
        {
          tty,
        },
      );
      await peer.outputWith(id, "ready");
      expect(await peer.signal(id)).toEqual({});
      const { exitCode, stdout, pty } = await peer.outcome(id);
      expect(exitCode).toBe(7);
      expect((stdout + pty).replaceAll("\r", "")).toBe("ready\ninner\nouter\n");
    }
  });

  test("67 a signal to unknown, exited and terminated processes does nothing; there is only interrupt", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    expect(await peer.signal("nobody")).toEqual({});
    const exited = await peer.shell("exit 0");
    await peer.outcome(exited);
    expect(await peer.signal(exited)).toEqual({});
    const terminated = await peer.start({ argv: ["/bin/cat"], pipeStdin: true });
    await peer.terminate(terminated);
    expect(await peer.signal(terminated)).toEqual({});
    for (const signal of ["terminate", "SIGINT", "Interrupt", ""]) {
      expect(await refusal(peer.call("process/signal", { processId: "nobody", signal }))).toEqual({
        code: -32602,
        message: `unknown variant \`${signal}\`, expected \`interrupt\``,
      });
    }
  });

  test("68 terminate kills the group at once, children included, and says running true, then false", async () => {
    await using server = await target.serve();
    for (const [tty, expected] of [[false, 137], [true, 1]] as const) {
      await using peer = await Peer.ready(server.url);
      const id = await peer.shell("trap '' HUP INT TERM; sleep 300 & echo pid=$$.; sleep 300", { tty });
      const group = await printed(peer, id, "pid");
      const begun = performance.now();
      expect(await peer.terminate(id)).toBe(true);
      const { exitCode } = await peer.outcome(id);
      expect(performance.now() - begun).toBeLessThan(500);
      expect({ tty, exitCode }).toEqual({ tty, exitCode: expected });
      expect(await peer.terminate(id)).toBe(false);
      await untilGroupIsGone(group);
      // The answer leaves before the exit it causes.
      const answer = peer.messages.findIndex(({ result }) =>
        (result as { running?: boolean })?.running === true
      );
      expect(peer.messages.slice(answer).some(({ method }) => method === "process/exited")).toBe(true);
    }
  });

  test("68 exited 137 and closed come within 500 ms even if an escaped child holds the pipe, which lives on", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const id = await peer.shell("setsid /bin/sh -c 'echo escaped=$$.; exec sleep 300' & sleep 300");
    const escaped = await printed(peer, id, "escaped");
    try {
      const begun = performance.now();
      expect(await peer.terminate(id)).toBe(true);
      const { exitCode, kinds } = await peer.outcome(id);
      expect(performance.now() - begun).toBeLessThan(500);
      expect(exitCode).toBe(137);
      expect(kinds.slice(-2).sort()).toEqual(["closed", "exited"]);
      expect(isAlive(escaped)).toBe(true);
    } finally {
      process.kill(escaped, "SIGKILL");
    }
  });

  test("69 terminate of an unknown or exited process says running false", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const exited = await peer.shell("exit 3");
    await peer.outcome(exited);
    for (const processId of ["nobody", "", exited]) {
      expect(await peer.call("process/terminate", { processId })).toEqual({ running: false });
    }
    expect(await peer.read(exited)).toMatchObject({ exitCode: 3, closed: true });
  });

  test("69 terminate of a process that exited but is not closed does nothing to what it left running", async () => {
    using directory = scratchDirectory();
    using gate = await makeGate(`${directory.path}/gate`);
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const id = await peer.shell("(read go < gate; echo late) & exit 3", { cwd: `file://${directory.path}` });
    await peer.exited(id);
    expect(await peer.terminate(id)).toBe(false);
    gate.open();
    const { stdout, exitCode } = await peer.outcome(id);
    expect([stdout, exitCode]).toEqual(["late\n", 3]);
  });

  test("70 a death by signal n is exit code 128+n on pipes, and 1 on a terminal; other codes are their own", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    for (
      const [signal, code] of [["HUP", 129], ["INT", 130], ["ABRT", 134], ["KILL", 137], ["SEGV", 139], [
        "TERM",
        143,
      ]]
    ) {
      const argv = ["/bin/sh", "-c", `kill -${signal} $$; sleep 300`];
      const { exitCode } = await peer.run({ argv });
      expect({ signal, exitCode }).toEqual({ signal: signal as string, exitCode: code as number });
      expect((await peer.run({ argv, tty: true })).exitCode).toBe(1);
    }
    for (const code of [0, 1, 127, 137, 255]) {
      for (const tty of [false, true]) {
        expect((await peer.run({ argv: ["/bin/sh", "-c", `exit ${code}`], tty })).exitCode).toBe(code);
      }
    }
  });

  test("71 processes of one session cannot be seen or touched from another, and equal ids do not meet", async () => {
    await using server = await target.serve();
    await using mine = await Peer.ready(server.url);
    await using theirs = await Peer.ready(server.url);
    await mine.start({ processId: "p", argv: ["/bin/cat"], pipeStdin: true });
    expect((await refusal(theirs.read("p"))).message).toBe("unknown process id p");
    expect(await theirs.write("p", "x\n", "1")).toBe("unknownProcess");
    expect(await theirs.signal("p")).toEqual({});
    expect(await theirs.terminate("p")).toBe(false);
    expect((await theirs.run({ processId: "p", argv: ["/bin/echo", "theirs"] })).stdout).toBe("theirs\n");
    expect(await mine.write("p", "mine\n", "1")).toBe("accepted");
    expect(await mine.outputWith("p", "mine\n")).toBe("mine\n");
    expect(theirs.output("p")).toBe("theirs\n");
  });
});

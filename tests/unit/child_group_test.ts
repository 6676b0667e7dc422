import { describe, expect, test } from "bun:test";
import { ChildGroup } from "../../lib/process/local/child_group.ts";
import { untilGroupIsGone } from "../support/peer_system.ts";

/** A shell that leads a group of its own and says when it is up. */
async function leader(script: string) {
  const child = Bun.spawn(["/bin/sh", "-c", script], {
    detached: true,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
  });
  const reader = child.stdout.getReader();
  await reader.read();
  return {
    pid: child.pid,
    exited: child.exited,
    async [Symbol.asyncDispose]() {
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch (error) {
        if ((error as { code?: string }).code !== "ESRCH") throw error;
      }
      await child.exited;
      await reader.cancel();
    },
  };
}

describe("ChildGroup", () => {
  test("a signal reaches the leader and everyone it started", async () => {
    await using child = await leader("sleep 600 & sleep 600 & echo up; wait");
    new ChildGroup(child.pid).signal("TERM");
    await child.exited;
    await untilGroupIsGone(child.pid);
  });

  test("members whom the leader left behind are reached after its end", async () => {
    await using child = await leader("sleep 600 >/dev/null & echo up");
    await child.exited;
    const group = new ChildGroup(child.pid);
    group.leaderReaped();
    group.signal("KILL");
    await untilGroupIsGone(child.pid);
  });

  test("a group that was empty when its leader was reaped is never signalled again", async () => {
    const gone = await leader("echo up");
    await gone.exited;
    const group = new ChildGroup(gone.pid);
    group.leaderReaped();
    const kill = process.kill;
    const sent: unknown[] = [];
    process.kill = (...call) => {
      sent.push(call);
      return true;
    };
    try {
      group.signal("KILL");
    } finally {
      process.kill = kill;
    }
    expect(sent).toEqual([]);
  });

  test("a living process that was given the leader's number is a stranger and left in peace", async () => {
    // The stranger leads a group of that very number, as whoever gets a recycled pid may.
    await using stranger = await leader("echo up; exec sleep 600");
    const group = new ChildGroup(stranger.pid);
    group.leaderReaped();
    group.signal("KILL");
    group.signal("TERM");
    // Had either reached it, it could not end of this one.
    new ChildGroup(stranger.pid).signal("INT");
    expect(await stranger.exited).toBe(130);
  });
});

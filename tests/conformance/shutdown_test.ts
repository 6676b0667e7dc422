import { expect } from "bun:test";
import { Peer } from "../support/peer.ts";
import { within } from "../support/peer_deadline.ts";
import { groupMembers, untilGroupIsGone } from "../support/peer_system.ts";
import { spawnServer } from "../support/target_process.ts";
import { onEachTarget } from "./on_each_target.ts";

onEachTarget(({ target, test }) => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    test(`16 ${signal} ends the server with 0 within 1 s, and every process group with it`, async () => {
      await using server = await spawnServer(target.command(["--listen", "ws://127.0.0.1:0"]));
      await using attached = await Peer.ready(server.url);
      await using left = await Peer.ready(server.url);
      const stubborn = "trap '' HUP INT TERM; sleep 300 & echo pid=$$.; sleep 300";
      const groups: number[] = [];
      for (const peer of [attached, left]) {
        for (const tty of [false, true]) {
          const id = await peer.shell(stubborn, { tty });
          groups.push(Number((await peer.outputWith(id, ".")).match(/pid=(\d+)/)?.[1]));
        }
      }
      // A session nobody is attached to ends with the server as well.
      await left.hangUp();
      for (const group of groups) expect(groupMembers(group).length).toBeGreaterThanOrEqual(2);
      server.kill(signal);
      expect(await within(server.exited, "the exit of the server", 1_000)).toBe(0);
      for (const group of groups) await untilGroupIsGone(group);
      await within(attached.closed, "the end of the connection");
    });
  }
});

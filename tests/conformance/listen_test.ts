import { expect } from "bun:test";
import { Peer } from "../support/peer.ts";
import { spawnStdio } from "../support/peer_stdio.ts";
import { runToEnd, spawnServer } from "../support/target_process.ts";
import { onEachTarget } from "./on_each_target.ts";

const firstLine = (text: string) => text.split("\n")[0];

onEachTarget(({ target, test }) => {
  const listen = (url: string) => target.command(["--listen", url]);

  test("1 stdout gets the URL with the real port on one line, and nothing else ever", async () => {
    await using server = await spawnServer(listen("ws://127.0.0.1:0"));
    const [line] = server.stdout().split("\n");
    expect(line).toMatch(/^ws:\/\/127\.0\.0\.1:[1-9]\d*$/);
    {
      await using peer = await Peer.ready(server.url);
      expect((await peer.run({ argv: ["/bin/sh", "-c", "echo out; echo err >&2"] })).stdout).toBe("out\n");
      peer.send("not json");
      await peer.waitFor(({ id }) => id === -1, "the answer to what is no JSON");
    }
    server.kill("SIGTERM");
    await server.exited;
    expect(server.stdout()).toBe(`${line}\n`);
  });

  test("1 a port that is named is the port that is listened on, and a second server cannot have it", async () => {
    await using server = await spawnServer(listen("ws://127.0.0.1:0"));
    const second = await runToEnd(listen(server.url));
    expect(second.code).toBe(1);
    expect(second.stdout).toBe("");
    expect(second.stderr).toMatch(/in use/i);
    server.kill("SIGTERM");
    await server.exited;
    await using again = await spawnServer(listen(server.url));
    expect(again.url).toBe(server.url);
  });

  for (
    const url of [
      "ws://localhost:1",
      "ws://127.0.0.1",
      "ws://127.0.0.1:1/",
      "ws://:1",
      "ws://127.0.0.1:65536",
      "ws://::1:1",
    ]
  ) {
    test(`2 --listen ${url} is an invalid websocket URL, exit 1`, async () => {
      const { code, stdout, stderr } = await runToEnd(listen(url));
      expect(code).toBe(1);
      expect(stdout).toBe("");
      expect(firstLine(stderr)).toBe(
        `Error: invalid websocket --listen URL \`${url}\`; expected \`ws://IP:PORT\``,
      );
    });
  }

  for (
    const url of ["http://127.0.0.1:1", "wss://127.0.0.1:1", "WS://127.0.0.1:1", "", "stdio:/", "127.0.0.1:1"]
  ) {
    test(`3 --listen '${url}' is unsupported, exit 1`, async () => {
      const { code, stdout, stderr } = await runToEnd(listen(url));
      expect(code).toBe(1);
      expect(stdout).toBe("");
      expect(firstLine(stderr)).toBe(
        `Error: unsupported --listen URL \`${url}\`; expected \`ws://IP:PORT\` or \`stdio\``,
      );
    });
  }

  test("3 unknown flags and bad flag values are usage errors, exit 2", async () => {
    for (
      const flags of [["--no-such-flag"], ["--concurrent-requests", "0"], ["--concurrent-requests", "x"]]
    ) {
      const { code, stdout, stderr } = await runToEnd(target.command(flags));
      expect({ flags, code, stdout }).toEqual({ flags, code: 2, stdout: "" });
      expect(stderr).not.toBe("");
    }
  });

  test("4 ws://[::1]:PORT is listened on, and told with its brackets", async () => {
    const hasIpv6 = await Bun.file("/proc/net/if_inet6").text().then(
      (text) => text.includes(" lo"),
      () => false,
    );
    if (!hasIpv6) {
      const { code, stderr } = await runToEnd(listen("ws://[::1]:0"));
      expect(code).toBe(1);
      expect(stderr).not.toContain("--listen URL");
      return;
    }
    await using server = await spawnServer(listen("ws://[::1]:0"));
    expect(server.stdout()).toMatch(/^ws:\/\/\[::1\]:[1-9]\d*\n$/);
    await using peer = await Peer.ready(server.url);
    expect(await peer.call("environment/status")).toEqual({ status: "ready" });
  });

  for (const url of ["stdio", "stdio://"]) {
    test(`4 --listen ${url} speaks on stdin and stdout`, async () => {
      await using server = spawnStdio(listen(url));
      await server.peer.initialize();
      expect(await server.peer.call("environment/status")).toEqual({ status: "ready" });
      server.endInput();
      expect(await server.exited).toBe(0);
      // Protocol only: every line was an answer.
      expect(server.lines).toHaveLength(2);
    });
  }
});

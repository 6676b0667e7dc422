import { expect } from "bun:test";
import { Peer } from "../support/peer.ts";
import { onEachTarget } from "./on_each_target.ts";

/** pid, process group, session, terminal and foreground group of a process that prints its own stat. */
function identity(
  stat: string,
): { pid: number; group: number; session: number; terminal: number; foreground: number } {
  const [, , group, session, terminal, foreground] = stat.slice(stat.lastIndexOf(")") + 2).split(" ").map(
    Number,
  );
  return { pid: Number.parseInt(stat, 10), group, session, terminal, foreground };
}

/** 32 and 33 are the C library's own; whoever starts the tests may have left them ignored. */
const RESERVED_SIGNALS = 0b11n << 31n;

onEachTarget(({ target, test }) => {
  test("54 a child leads its session and group, without a terminal, and reads /dev/null unless asked otherwise", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const { pid, group, session, terminal } = identity(
      (await peer.run({ argv: ["/bin/cat", "/proc/self/stat"] })).stdout,
    );
    expect({ group, session, terminal }).toEqual({ group: pid, session: pid, terminal: 0 });
    const show = "for n in 0 1 2; do readlink /proc/$$/fd/$n; done";
    const [stdin, stdout, stderr] = (await peer.run({ argv: ["/bin/sh", "-c", show] })).stdout.split("\n");
    expect(stdin).toBe("/dev/null");
    expect(stdout).toStartWith("pipe:");
    expect(stderr).toStartWith("pipe:");
    expect(stderr).not.toBe(stdout);
    const piped = await peer.run({ argv: ["/bin/sh", "-c", show], pipeStdin: true });
    expect(piped.stdout).toStartWith("pipe:");
    expect((await peer.run({ argv: ["/bin/cat"] })).stdout).toBe("");
  });

  test("54 a child inherits no other descriptor, no ignored and no blocked signal", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    for (const tty of [false, true]) {
      // 3 is the directory that ls reads.
      const fds = await peer.run({ argv: ["/bin/ls", "/proc/self/fd"], tty });
      expect((fds.stdout + fds.pty).split(/\s+/).filter((word) => word !== "")).toEqual(["0", "1", "2", "3"]);
      const signals = await peer.run({
        argv: ["/bin/grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"],
        tty,
      });
      const masks = (signals.stdout + signals.pty).match(/[0-9a-f]{16}/g) ?? [];
      expect(masks.map((mask) => BigInt(`0x${mask}`) & ~RESERVED_SIGNALS)).toEqual([0n, 0n]);
    }
  });

  test("55 a tty child has 24 rows, 80 columns and a controlling terminal, and pipeStdin changes nothing", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    for (const pipeStdin of [false, true]) {
      const stat = (await peer.run({ argv: ["/bin/cat", "/proc/self/stat"], tty: true, pipeStdin })).pty;
      const { pid, group, session, terminal, foreground } = identity(stat);
      expect({ group, session, foreground }).toEqual({ group: pid, session: pid, foreground: pid });
      expect(terminal).toBeGreaterThan(0);
      const { pty } = await peer.run({
        argv: [
          "/bin/sh",
          "-c",
          "stty size; tty; echo direct > /dev/tty; test -t 0 && test -t 1 && test -t 2 && echo all",
        ],
        tty: true,
        pipeStdin,
      });
      expect(pty).toMatch(/^24 80\r\n\/dev\/pts\/\d+\r\ndirect\r\nall\r\n$/);
    }
  });

  test("55 a terminal echoes, ends a line with CRLF, and turns ^C and ^D into what they mean", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const cat = await peer.start({ argv: ["/bin/cat"], tty: true });
    await peer.write(cat, "hello\n", "1");
    await peer.outputWith(cat, "hello\r\nhello\r\n");
    await peer.write(cat, "\x04", "2");
    expect((await peer.outcome(cat)).exitCode).toBe(0);
    const trap = await peer.shell("trap 'exit 7' INT; echo ready; while :; do sleep 1; done", { tty: true });
    await peer.outputWith(trap, "ready");
    await peer.write(trap, "\x03", "1");
    expect((await peer.outcome(trap)).exitCode).toBe(7);
  });
});

import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import type { StartOptions } from "../../lib/process/backend.ts";
import type { LocalBackend } from "../../lib/process/local/local_backend.ts";
import type { LocalProcess } from "../../lib/process/local/local_process.ts";
import type { ProcessError } from "../../lib/process/process_error.ts";
import { bytePathOf } from "../../lib/sandbox/byte_path.ts";
import type { Intent } from "../../lib/sandbox/intent.ts";
import { sandboxedStart, sandboxSupport } from "../../lib/sandbox/sandboxed_start.ts";
import { localBackend, outputOf, shell } from "../support/local_start.ts";
import { scratchDirectory } from "../support/peer_system.ts";
import { untilTrue } from "../support/peer_deadline.ts";

// Through the real sandbox, in which the monitor stands between us and the process.

const READ_ONLY: Intent = {
  files: {
    type: "restricted",
    entries: [{
      path: { kind: "special", special: "root", subpath: null },
      access: "read",
      skipIfMissing: false,
    }],
    globScanMaxDepth: null,
  },
  network: "restricted",
  workspaceRoots: [],
  cwd: bytePathOf("/"),
};
const NETWORK_ONLY: Intent = { ...READ_ONLY, files: { type: "unrestricted" } };

const { tier, failing } = await sandboxSupport();
const holdsFiles = tier === "user namespaces" || tier === "capabilities";
if (!holdsFiles) console.warn(`not run confined: ${failing}`);
const intents: [string, Intent][] = [["only the network confined", NETWORK_ONLY]];
if (holdsFiles) intents.push(["files and network confined", READ_ONLY]);

/** Who has this word in what it was started as, in whatever pid namespace. */
function bearers(word: string): { command: string; state: string }[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      if (!command.includes(word)) return [];
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      return [{ command, state: stat.slice(stat.lastIndexOf(")") + 2)[0]! }];
    } catch {
      return []; // it has ended meanwhile
    }
  });
}

/** Not before the shell's child has become it: a shell may wait for that in a way in which it cannot be stopped. */
const sleeps = (word: string) => bearers(word).some(({ command }) => command.startsWith("sleep"));

let count = 0;
/** A number of seconds that nobody else sleeps for. */
const ownSleep = () => `600.${process.pid}${++count}`;

describe.each(intents)("a process with %s", (_, intent) => {
  const start = (
    backend: LocalBackend,
    script: string,
    more: Partial<StartOptions> = {},
  ): Promise<LocalProcess> => Promise.resolve(backend.start(shell(script, more), sandboxedStart(intent)));

  test("ends with its own code, by its own signal, on pipes and on a terminal", async () => {
    await using backend = localBackend();
    for (const tty of [false, true]) {
      for (
        const [script, code] of [["exit 0", 0], ["exit 7", 7], ["kill -TERM $$", 143], [
          "kill -KILL $$",
          137,
        ]] as const
      ) {
        const process = await start(backend, script, { tty, terminalSignalExit: "128+n" });
        await process.whenClosed;
        expect([script, process.log.exited?.exitCode]).toEqual([script, code]);
      }
    }
  });

  test("is told its name, its input and its signals as outside", async () => {
    await using backend = localBackend();
    const script =
      `trap 'echo heard; exit 9' TERM; tr '\\0' '|' < /proc/$$/cmdline; read line; echo "$line"; ` +
      "while :; do sleep 0.01; done";
    const process = await start(backend, script, { arg0: "-own name", pipeStdin: true });
    await process.write(Buffer.from("a line\n"), "1");
    expect(await outputOf(process, (text) => text.includes("a line"))).toStartWith("-own name|-c|");
    process.signal("TERM");
    await process.whenClosed;
    expect(process.log.exited?.exitCode).toBe(9);
    expect(await outputOf(process)).toEndWith("heard\n");
  });

  test("means the same as one that is not confined, and is refused in the same words", async () => {
    using scratch = scratchDirectory();
    const odd = Buffer.from(`${scratch.path}/\xff`, "latin1");
    mkdirSync(odd);
    const tool = Buffer.concat([odd, Buffer.from("/tool")]);
    writeFileSync(tool, '#!/bin/sh\necho "$0 $1 in $(pwd)"\n');
    chmodSync(tool, 0o755);
    const cases: Partial<StartOptions>[] = [
      { argv: ["./tool", "\ud800é"], cwd: odd },
      ...["", ".", ":/bin", "/bin:."].map((PATH) => ({ argv: ["tool"], cwd: odd, env: { PATH } })),
      { argv: ["tool"], cwd: odd, env: { PATH: "/bin" } },
      { argv: ["env"], env: { PATH: "/usr/bin:/bin", "a b": "c=d", EMPTY: "", é: "é" } },
      { argv: ["env"], env: { PATH: "/usr/bin:/bin" }, tty: true },
      ...["/etc", "/etc/passwd", "/no/such", "no-such", "/etc/passwd/x", "./no-such"].map((name) => ({
        argv: [name],
      })),
      ...["/etc/passwd", "/no/such", "/tmp\0x", Buffer.from("/tmp\0x")].map((cwd) => ({ cwd })),
      { argv: ["no-such"], tty: true },
      { argv: ["no-such"], tty: true, env: {} },
      { argv: ["/bin/echo", "x".repeat(200_000)] },
    ];
    await using backend = localBackend();
    const outcome = async (begin: () => LocalProcess | Promise<LocalProcess>) => {
      try {
        const process = await begin();
        return [await outputOf(process), process.log.exited?.exitCode];
      } catch (error) {
        const { code, message, failure } = error as ProcessError;
        return { code, message, failure };
      }
    };
    for (const more of cases) {
      const plainly = await outcome(() => backend.start(shell("pwd", more)));
      expect([more, await outcome(() => start(backend, "pwd", more))]).toEqual([more, plainly]);
    }
  });

  test("stops and goes on", async () => {
    await using backend = localBackend();
    const own = ownSleep();
    const process = await start(backend, `sleep ${own}; echo woke`);
    const sleeper = () => bearers(own).filter(({ state }) => state !== "Z");
    await untilTrue(() => sleeps(own), "its sleep");
    process.signal("STOP");
    await untilTrue(() => sleeper().filter(({ state }) => state === "T").length >= 2, "everybody to stop");
    process.signal("CONT");
    await untilTrue(() => sleeper().every(({ state }) => state !== "T"), "everybody to go on");
    process.terminate();
    await process.whenClosed;
  });

  test("on a terminal it has job control, hears of the size, and Ctrl-C reaches who is in front", async () => {
    await using backend = localBackend();
    const script = "stty size; trap 'stty size; exit 4' WINCH; echo ready; while :; do sleep 0.01; done";
    const process = await start(backend, script, { tty: true, size: { rows: 7, cols: 33 } });
    await outputOf(process, (text) => text.includes("ready"));
    process.resize({ rows: 8, cols: 44 });
    await process.whenClosed;
    expect(await outputOf(process)).toBe("7 33\r\nready\r\n8 44\r\n");
    const own = ownSleep();
    const shellInside = await start(backend, `trap 'echo back' INT; sleep ${own}; exit 5`, { tty: true });
    await untilTrue(() => sleeps(own), "its sleep");
    await shellInside.write(Buffer.of(3), "1");
    await shellInside.whenClosed;
    expect(shellInside.log.exited?.exitCode).toBe(5);
  });
});

if (holdsFiles) {
  describe("the end of a confined process", () => {
    /** Three who try to get away: in a session of their own, without a parent, and without hearing of anything. */
    const escapes = (own: string) =>
      `setsid sleep ${own} & (sleep ${own} &) ; sh -c "trap '' TERM HUP INT; sleep ${own}" & echo up`;

    const ends: [string, (backend: LocalBackend, process: LocalProcess) => unknown][] = [
      ["terminate()", (_, process) => process.terminate()],
      ["its own exit", (_, process) => process.write(Buffer.from("\n"), "1")],
      ["a signal it does not survive", (_, process) => process.signal("QUIT")],
      ["the end of its owner", (backend) => backend.endAll()],
    ];
    for (const [what, end] of ends) {
      test(`by ${what} takes everybody with it, wherever they went`, async () => {
        await using backend = localBackend();
        const own = ownSleep();
        const process = await Promise.resolve(
          backend.start(
            shell(`${escapes(own)}; read line; exit 0`, { pipeStdin: true }),
            sandboxedStart(READ_ONLY),
          ),
        );
        await outputOf(process, (text) => text.includes("up"));
        await untilTrue(() => bearers(own).filter(({ state }) => state !== "Z").length >= 3, "all of them");
        await end(backend, process);
        await process.whenClosed;
        // They are dead already: the monitor ends last.
        expect(bearers(own).filter(({ state }) => state !== "Z")).toEqual([]);
      });
    }
  });
}

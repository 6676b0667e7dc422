import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { untilTrue } from "../support/peer_deadline.ts";
import { mechanism, rulesOf, runConfined, shell, spawnConfined, workspace } from "./confined.ts";

const rules = rulesOf([]);

describe.skipIf(mechanism === null)("a confined program", () => {
  test("ends with its own exit code", async () => {
    expect(await runConfined(rules, { argv: ["sh", "-c", "exit 7"] })).toMatchObject({
      code: 7,
      signal: null,
    });
  });

  test.each(["SIGKILL", "SIGSEGV", "SIGTERM", "SIGABRT"])("that dies of %s is seen to", async (signal) => {
    const argv = ["sh", "-c", `kill -${signal.slice(3)} $$`];
    expect(await runConfined(rules, { argv })).toMatchObject({ code: null, signal });
  });

  test("gets the signals that its monitor gets", async () => {
    await using confined = await spawnConfined(rules, {
      argv: ["sh", "-c", "trap 'echo caught; exit 3' TERM; echo ready; while :; do sleep 0.01; done"],
    });
    const { child } = confined;
    await confined.began;
    const reader = child.stdout.getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe("ready\n");
    process.kill(-child.pid, "SIGTERM");
    expect(new TextDecoder().decode((await reader.read()).value)).toBe("caught\n");
    expect(await child.exited).toBe(3);
  });

  test("dies of a signal that it does not expect", async () => {
    await using confined = await spawnConfined(rules, { programs: ["/bin/sleep"], argv: ["sleep", "100"] });
    await confined.began;
    process.kill(-confined.child.pid, "SIGHUP");
    await confined.child.exited;
    expect(confined.child.signalCode).toBe("SIGHUP");
  });

  test.each(["the end of its leader", "SIGKILL"])(
    "leaves nobody behind after %s, sessions of their own included",
    async (end) => {
      using place = workspace();
      const { path, bytes } = place;
      const mark = `4${process.pid}${end.length}`;
      await using confined = await spawnConfined(rulesOf([{ kind: "write", path: bytes }]), {
        argv: [
          "sh",
          "-c",
          `setsid sh -c '(sleep ${mark} & echo $! > ${path}/pid) & sleep ${mark}' > /dev/null 2>&1 &
        while ! [ -s ${path}/pid ]; do sleep 0.01; done; echo ready; read line`,
        ],
      });
      const { child } = confined;
      await confined.began;
      expect(new TextDecoder().decode((await child.stdout.getReader().read()).value)).toBe("ready\n");
      // The second may still be on its way to being what it is to be.
      await untilTrue(() => processesCalled(mark) > 1, "both to run");
      if (end === "SIGKILL") child.kill("SIGKILL");
      else child.stdin.end();
      await child.exited;
      // After its monitor was killed the kernel still needs a moment for the others.
      while (end === "SIGKILL" && processesCalled(mark) > 0) await Bun.sleep(1);
      expect(processesCalled(mark)).toBe(0);
    },
  );

  test("dies with the server that started it", async () => {
    const mark = `5${process.pid}`;
    await using server = Bun.spawn([
      process.execPath,
      fileURLToPath(import.meta.resolve("./keep_confined.ts")),
      mark,
    ], {
      stdout: "pipe",
    });
    await server.stdout.getReader().read();
    expect(processesCalled(mark)).toBeGreaterThan(1);
    server.kill("SIGKILL");
    await server.exited;
    while (processesCalled(mark) > 0) await Bun.sleep(1);
  });

  test("leaves no zombies to itself", async () => {
    const orphans = "for i in 1 2 3; do sh -c 'sleep 0.01 &'; done";
    const line = `${orphans}; set -- 1; until [ $# = 2 ]; do sleep 0.01; set -- /proc/[0-9]*; done; echo $*`;
    expect(await shell(rules, line)).toBe("/proc/1 /proc/2");
  });

  test("reads its input to the end", async () => {
    await using confined = await spawnConfined(rules, { programs: ["/bin/cat"], argv: ["cat"] });
    const { child } = confined;
    await confined.began;
    child.stdin.write("some ");
    child.stdin.write("words");
    child.stdin.end();
    expect(await child.stdout.text()).toBe("some words");
    expect(await child.exited).toBe(0);
  });

  test("ends its output when it closes that, not when it ends", async () => {
    await using confined = await spawnConfined(rules, {
      argv: ["sh", "-c", "echo a; exec > /dev/null 2>&1; read line"],
    });
    await confined.began;
    expect(await confined.child.stdout.text()).toBe("a\n");
    expect(confined.child.exitCode).toBeNull();
  });

  test("gets its arguments, name and variables byte by byte", async () => {
    const argv = [
      Buffer.from([0x6e, 0xff]),
      "-c",
      `tr '\\0' '\\n' < /proc/self/cmdline | od -An -tx1 > /dev/null; printf %s "$0" | od -An -tx1`,
      Buffer.from([0xfe, 0x20, 0x80]),
    ];
    const { stdout } = await runConfined(rules, { argv });
    expect(stdout.trim()).toBe("fe 20 80");
    const name = await runConfined(rules, {
      argv: [Buffer.from([0x6e, 0xff]), "-c", `od -An -tx1 -N2 /proc/$$/cmdline`],
    });
    expect(name.stdout.trim()).toBe("6e ff");
    const env = { NAME: "wért €", EMPTY: "" };
    const variables = await runConfined(rules, { programs: ["/usr/bin/env"], argv: ["env"], env });
    expect(variables.stdout).toBe("NAME=wért €\nEMPTY=\n");
  });

  test("has as large an environment as it is given", async () => {
    const env = { BIG: "x".repeat(100_000), OTHER: "y".repeat(100_000) };
    const { stdout } = await runConfined(rules, { programs: ["/usr/bin/env"], argv: ["env"], env });
    expect(stdout).toHaveLength(200_012);
  });

  test("starts where it is told", async () => {
    using place = workspace();
    expect(await shell(rules, "pwd", { cwd: place.path })).toBe(place.path);
  });

  test("is the first of the candidates that is there", async () => {
    const programs = ["/no/such/echo", "/etc/hostname/echo", "/bin/echo", "/bin/false"];
    expect(await runConfined(rules, { programs, argv: ["echo", "a"] })).toMatchObject({
      code: 0,
      stdout: "a\n",
    });
  });
});

/** How many processes of the whole system have the mark among their words. */
function processesCalled(mark: string): number {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0").includes(mark);
    } catch {
      return false;
    }
  }).length;
}

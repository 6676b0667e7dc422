import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mechanism, rulesOf, runConfined, shell, workspace } from "./confined.ts";

const rules = rulesOf([]);
const isRoot = process.geteuid?.() === 0;

describe.skipIf(mechanism === null)("a confined program", () => {
  test("has no right that its user has not, root included, and cannot get any", async () => {
    const status = await shell(rules, "cat /proc/self/status");
    const init = await shell(rules, "cat /proc/1/status");
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]) {
      expect(status).toContain(`${set}:\t0000000000000000\n`);
      expect(init).toContain(`${set}:\t0000000000000000\n`);
    }
    expect(status).toContain("NoNewPrivs:\t1\nSeccomp:\t2\n");
  });

  // Nothing is written even where it could be: a sandbox that fails must not take the machine with it.
  test("cannot open for writing what speaks to the kernel in its /proc", async () => {
    const own = "-path '/proc/[0-9]*' -prune -o -path /proc/self -prune -o -path /proc/thread-self -prune";
    const said = await shell(
      rules,
      `umount /proc/sys; mount -o remount,rw /proc/sys; : >> /proc/sys/kernel/core_pattern
       find /proc ${own} -o ! -type l -writable -printf 'open: %p\\n' 2> /dev/null`,
    );
    expect(said).toContain(
      isRoot ? "core_pattern: Read-only file system" : "cannot create /proc/sys/kernel/core_pattern",
    );
    expect(said).not.toContain("open: /proc/sys");
    // Who watches the pressure tells the kernel so with a write: to itself.
    expect(said.match(/^open: .*$/gm)?.filter((line) => !line.startsWith("open: /proc/pressure/")) ?? [])
      .toEqual([]);
  });

  test("sees no network but a loopback of its own, and cannot speak to it", async () => {
    const said = await shell(
      rules,
      `awk 'NR > 2 { print $1 }' /proc/net/dev; exec 3<>/dev/tcp/127.0.0.1/1`,
      {
        programs: ["/bin/bash"],
        argv: ["bash", "-c", `exec 2>&1; awk 'NR > 2 { print $1 }' /proc/net/dev; : 3<>/dev/tcp/127.0.0.1/1`],
      },
    );
    expect(said).toStartWith("lo:\n");
    expect(said).toContain("Operation not permitted");
  });

  test("uses the host's network where that is open", async () => {
    using server = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: { open: (socket) => void socket.end("HELLO"), data() {} },
    });
    const open = rulesOf([], { network: "enabled" });
    const start = {
      programs: ["/bin/bash"],
      argv: ["bash", "-c", `cat < /dev/tcp/127.0.0.1/${server.port}`],
    };
    expect((await runConfined(open, start)).stdout).toBe("HELLO");
  });

  test("sees only its own processes and descriptors", async () => {
    const said = await shell(
      rules,
      "echo /proc/[0-9]*; echo /proc/self/fd/*; ls -l /proc/1/exe 2>&1; kill -9 1; echo alive",
    );
    const [processes, descriptors] = said.split("\n");
    expect(processes).toBe("/proc/1 /proc/2");
    expect(descriptors).toMatch(
      /^\/proc\/self\/fd\/0 \/proc\/self\/fd\/1 \/proc\/self\/fd\/2( \/proc\/self\/fd\/3)?$/,
    );
    expect(said).toContain("/proc/1/exe': Permission denied");
    expect(said).toEndWith("alive");
  });
});

describe("a program that only its network is confined of", () => {
  const networkOnly = rulesOf([], { view: "whole-write", whole: { read: true, write: true } });

  test("may write wherever its user may, and reach nobody", async () => {
    using place = workspace();
    const { path } = place;
    const argv = [
      "bash",
      "-c",
      `exec 2>&1; echo a > ${path}/a; : 3<>/dev/tcp/127.0.0.1/1; grep Seccomp: /proc/self/status; exit 5`,
    ];
    const { stdout, code } = await runConfined(networkOnly, { programs: ["/bin/bash"], argv });
    expect(existsSync(`${path}/a`)).toBe(true);
    expect(stdout).toContain("Operation not permitted");
    expect(stdout).toContain("Seccomp:\t2");
    expect(code).toBe(5);
  });
});

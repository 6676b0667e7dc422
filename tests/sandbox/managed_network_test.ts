import { describe, expect, test } from "bun:test";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { Outlets } from "../../lib/sandbox/forward.ts";
import { mountPlanOf } from "../../lib/sandbox/mounts.ts";
import { planStart } from "../../lib/sandbox/plan.ts";
import { prepareStart } from "../../lib/sandbox/prepared_start.ts";
import { surroundings } from "../../lib/sandbox/surroundings.ts";
import { mechanism, rulesOf, runConfined, sandbox, shell, spawnConfined, workspace } from "./confined.ts";
import { bash, connects, echo, greeting, NAME, openFds, script, service, until } from "./host_service.ts";

const rules = rulesOf([]);
const wholeWrite = rulesOf([], { view: "whole-write", whole: { read: true, write: true } });

describe.skipIf(mechanism === null)("a managed network", () => {
  test("has the allowed ports of the host's loopback, and no other", async () => {
    await using allowed = await greeting("allowed");
    await using second = await greeting("second");
    await using other = await greeting("other");
    const ports = [allowed.port, second.port];
    const get = (port: number, host = "127.0.0.1") =>
      `(exec 3<>/dev/tcp/${host}/${port} && printf 'GET /\\r\\n\\r\\n' >&3 && tail -n 1 <&3; echo)`;
    expect(await shell(rules, "", bash(get(allowed.port), ports))).toBe("allowed");
    expect(await shell(rules, "", bash(get(second.port, "localhost"), ports))).toBe("second");
    expect(await connects(other.port, "127.0.0.1")).toBe(true);
    for (const host of ["127.0.0.1", "127.0.0.2", "::1"]) {
      expect(await shell(rules, "", bash(get(other.port, host), ports))).toMatch(/refused|unreachable/);
    }
  });

  test.skipIf(Bun.which("curl") === null)("is one of which curl sees nothing but the proxy", async () => {
    await using proxy = await greeting("from the proxy");
    const env = { PATH: process.env["PATH"] ?? "", http_proxy: `http://127.0.0.1:${proxy.port}` };
    const get = (url: string) => bash(`curl -sS -m 10 ${url}`, [proxy.port]);
    expect(await shell(rules, "", { ...get("http://example.test/"), env })).toBe("from the proxy");
    expect(await shell(rules, "", { ...get("--noproxy '*' http://192.0.2.1/"), env })).toMatch(
      /^curl: \(7\)/,
    );
    expect(await shell(rules, "", { ...get("--noproxy '*' http://example.test/"), env })).toMatch(
      /^curl: \(6\)/,
    );
  });

  test("leads nowhere else: not to other addresses of the host, not out", async () => {
    await using allowed = await greeting("allowed");
    await using everywhere = await service((socket) => void socket.end(), "0.0.0.0");
    const own = Object.values(networkInterfaces()).flat().find((address) =>
      address?.internal === false && address.family === "IPv4"
    )?.address;
    if (own !== undefined) expect(await connects(everywhere.port, own)).toBe(true);
    for (const host of [...(own === undefined ? [] : [own]), "192.0.2.1", "2001:db8::1"]) {
      const told = await shell(
        rules,
        "",
        bash(`exec 3<>/dev/tcp/${host}/${everywhere.port}`, [allowed.port, everywhere.port]),
      );
      expect(told).toMatch(/unreachable|Cannot assign requested address/);
    }
  });

  test("passes no datagrams, not even to an allowed port", async () => {
    const socket = createSocket("udp4");
    const heard: string[] = [];
    socket.on("message", (message) => heard.push(String(message)));
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    const { port } = socket.address();
    try {
      const say = (word: string) => `echo ${word} > /dev/udp/127.0.0.1/${port}; echo done`;
      expect(await shell(rules, "", bash(say("inside"), [port]))).toBe("done");
      expect(await shell(rules, "", bash(`echo x > /dev/udp/192.0.2.1/53`, [port]))).toMatch(/unreachable/);
      expect(await shell(rules, "", bash("getent hosts example.com; echo $?", [port]))).toBe("2");
      await Bun.spawn(["bash", "-c", say("outside")], { stdout: "ignore" }).exited;
      await until(() => heard.length > 0);
      expect(heard).toEqual(["outside\n"]);
    } finally {
      socket.close();
    }
  });

  test("has no local sockets of the host, neither by a path nor by an abstract name", async () => {
    using place = workspace();
    await using allowed = await echo();
    for (const path of [`${place.path}/socket`, `\0exec-server-${process.pid}`]) {
      const server = createServer((socket) => socket.end());
      server.listen(path);
      await once(server, "listening");
      try {
        const source = `net.connect(${JSON.stringify(path)})
          .on("connect", () => console.log("connected")).on("error", ({ code }) => console.log(code));`;
        const outside = Bun.spawn([process.execPath, "-e", `const net = require("node:net"); ${source}`], {
          stdout: "pipe",
        });
        expect(await outside.stdout.text()).toBe("connected\n");
        const { stdout } = await runConfined(rules, script(allowed.port, source));
        expect(stdout).not.toContain("connected");
        expect(stdout.trim()).not.toBe("");
      } finally {
        server.close();
      }
    }
  });

  test.each(["restricted", "enabled"] as const)(
    "is the whole network where files are not restricted, and the network %s",
    async (network) => {
      using place = workspace();
      await using allowed = await greeting("allowed");
      await using other = await greeting("other");
      const get = (port: number) =>
        `(exec 3<>/dev/tcp/127.0.0.1/${port} && echo GET >&3 && tail -n 1 <&3; echo)`;
      const line = `echo x > ${place.path}/file; ${get(allowed.port)}; ${
        get(other.port)
      }; grep -E '^(CapEff|Seccomp):' /proc/self/status`;
      const told = await shell({ ...wholeWrite, network }, "", bash(line, [allowed.port]));
      expect(told).toMatch(/^allowed\n.*refused/);
      expect(told).toMatch(/CapEff:\t0+\n.*Seccomp:\t2$/s);
      expect(existsSync(`${place.path}/file`)).toBe(true);
    },
  );

  test("lets a command listen on its own loopback, but not in the place of what is allowed", async () => {
    await using allowed = await echo();
    const source =
      `const server = net.createServer((socket) => socket.end("own")).listen(0, "127.0.0.1", () =>
      net.connect(server.address().port, "127.0.0.1").on("data", (data) => {
        console.log(String(data));
        server.close();
        net.createServer().on("error", ({ code }) => console.log(code)).listen(port, "127.0.0.1");
      }));`;
    const { stdout, stderr } = await runConfined(rules, script(allowed.port, source));
    expect([stdout, stderr]).toEqual(["own\nEADDRINUSE\n", ""]);
  });

  test("gives a command no descriptor, and two commands the same port", async () => {
    await using allowed = await greeting("allowed");
    const list = "exec 2>&1; ls /proc/self/fd | wc -l";
    const plain = await shell(rules, "", { ...NAME, argv: ["bash", "-c", list] });
    const both = Array.from({ length: 2 }, () =>
      shell(
        rules,
        "",
        bash(
          `${list}; exec 3<>/dev/tcp/127.0.0.1/${allowed.port} && echo GET >&3 && tail -n 1 <&3`,
          [allowed.port],
        ),
      ));
    expect(await Promise.all(both)).toEqual([`${plain}\nallowed`, `${plain}\nallowed`]);
  });

  test("leaves no descriptor open after 100 starts, also of those that fail", async () => {
    await using peer = await greeting("allowed");
    const good = bash(`exec 3<>/dev/tcp/127.0.0.1/${peer.port} && echo GET >&3 && tail -n 1 <&3`, [
      peer.port,
      1,
      2,
    ]);
    expect(await shell(rules, "", good)).toBe("allowed");
    const before = openFds();
    for (let round = 0; round < 10; round++) {
      const starts = Array.from({ length: 10 }, (_, index) => {
        if (index === 0) return runConfined(rules, { programs: ["/no/such"], ports: [peer.port] });
        if (index === 1) return runConfined(rulesOf([{ kind: "write", path: "/no/such" }]), good);
        if (index === 2) {
          return sandbox.confine(rules, [1]).then((confinement) => confinement.wrap(spare).abandon());
        }
        return shell(rules, "", good);
      });
      const outcomes = await Promise.allSettled(starts);
      expect(outcomes.map(({ status }) => status)).toEqual([
        "rejected",
        "rejected",
        ...Array.from({ length: 8 }, () => "fulfilled" as const),
      ]);
    }
    await until(() => openFds() <= before);
  }, 30_000);
});

describe.skipIf(mechanism === null)("a managed network that cannot be made", () => {
  test("ends the start before anything runs, where its listeners cannot be", async () => {
    await using confined = await spawnConfined(rules, bash("echo ran", [9, 9]));
    await expect(confined.began).rejects.toMatchObject({
      kind: "setup",
      errno: "EADDRINUSE",
      what: "listen on port 9",
    });
    expect([await confined.child.exited, await confined.child.stdout.text()]).toEqual([125, ""]);
  });

  test("ends the start before anything runs, where the listeners cannot be taken over", async () => {
    const around = surroundings();
    const start = async () => {
      const view = mountPlanOf(rules, () => "directory");
      const run = { ...spare, programs: ["/bin/echo"], argv: ["echo", "ran"] };
      const plan = planStart({ view, network: "restricted", outlets: [9] }, run, mechanism!, around);
      const { command, began, release } = prepareStart(around.arch, plan, () => {}, Outlets.make([9, 10]));
      const { program, argv0, cwd, env, extraFds } = command;
      await using child = Bun.spawn([program], {
        argv0,
        cwd,
        env,
        stdio: ["ignore", "pipe", "ignore", ...extraFds],
      });
      await expect(began()).rejects.toMatchObject({
        kind: "setup",
        errno: "EMFILE",
        what: "take the listeners over",
      });
      release(); // the helper, which still waits, hears of it
      expect([await child.exited, await child.stdout.text()]).toEqual([1, ""]);
    };
    await start();
    const before = openFds();
    for (let i = 0; i < 5; i++) await start();
    await until(() => openFds() <= before);
  });
});

const spare = { programs: ["/bin/true"], argv: ["true"], cwd: "/", env: {}, tty: false };

describe("where there are no namespaces", () => {
  test("a managed network is refused, whatever else is not restricted", async () => {
    const poor =
      new (class extends (sandbox.constructor as typeof import("../../lib/sandbox/launch.ts").Sandbox) {
        override support() {
          return Promise.resolve(
            {
              tier: "seccomp only",
              failing: "unshare: no",
              passedOver: "unshare: no",
              freshProc: false,
              mechanism: null,
              isLasting: true,
            } as const,
          );
        }
      })();
    await expect(poor.confine(wholeWrite, [1])).rejects.toMatchObject({
      name: "UnenforceableError",
      message: "unshare: no",
    });
    await poor.confine(wholeWrite);
  });
});

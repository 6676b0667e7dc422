import { expect } from "bun:test";
import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { Peer } from "../support/peer.ts";
import { refusal } from "../support/peer_conversation.ts";
import { scratchDirectory } from "../support/peer_system.ts";
import {
  confined,
  context,
  type Json,
  managed,
  NO_NETWORK,
  path,
  READ_ONLY,
  runConfined,
  special,
  workspaceWrite,
} from "../support/sandbox_context.ts";
import { onEachTarget } from "./on_each_target.ts";

const CANNOT = "sandbox intent cannot be enforced on this executor";

onEachTarget(({ target, test }) => {
  const isOurs = target.name === "ours";
  const refused = async (peer: Peer, sandbox: unknown, more: Json = {}) =>
    await refusal(peer.call("process/start", confined(peer, sandbox, more)));

  test("fs 66 a sandbox without windowsSandboxLevel or permissions.type is refused in the words of its reader", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const wrong: [unknown, string][] = [
      [{ ...READ_ONLY, windowsSandboxLevel: undefined }, "missing field `windowsSandboxLevel`"],
      [{ windowsSandboxLevel: "disabled" }, "missing field `permissions`"],
      [context({}), "missing field `type`"],
      [
        context({ type: "workspace-write" }),
        "unknown variant `workspace-write`, expected one of `managed`, `disabled`, `external`",
      ],
      [context({ type: "managed" }), "missing field `file_system`"],
      [context({ type: "external" }), "missing field `network`"],
    ];
    for (const [sandbox, message] of wrong) {
      expect(await refused(peer, sandbox)).toMatchObject({ code: -32602, message });
    }
  });

  test("fs 67 none is deny, and current_working_directory is project_roots", async () => {
    using scratch = scratchDirectory();
    mkdirSync(`${scratch.path}/secret`);
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const entries = [
      special("root", "read"),
      special("current_working_directory", "write"),
      path(`file://${scratch.path}/secret`, "none"),
    ];
    const sandbox = context(managed(entries), {
      cwd: `file://${scratch.path}`,
      workspaceRoots: [`file://${scratch.path}`],
    });
    const script = `echo x > ${scratch.path}/written && echo wrote; echo y > ${scratch.path}/secret/z`;
    const { stdout, exitCode } = await runConfined(peer, sandbox, script);
    expect([stdout, exitCode === 0]).toEqual(["wrote\n", false]);
    expect([existsSync(`${scratch.path}/written`), existsSync(`${scratch.path}/secret/z`)]).toEqual([
      true,
      false,
    ]);
  });

  test("fs 68 what is unknown in a context is ignored, and so is an unknown special path", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const sandbox = {
      ...context({
        ...managed([special("root", "read"), special("unknown", "write", { path: ":later" })]),
        x: 1,
      }),
      windowsSandboxPrivateDesktop: true,
      later: { x: 1 },
    };
    const { exitCode, sandboxType } = await runConfined(peer, sandbox, "exit 0");
    expect([exitCode, sandboxType]).toEqual([0, "linuxSeccomp"]);
  });

  test("fs 70 a read-only profile lets nothing be written anywhere, and says so", async () => {
    using scratch = scratchDirectory();
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    for (const directory of ["/tmp", "/", scratch.path, "/var/tmp"]) {
      const file = `${directory}/exec-server-conformance-70`;
      const outcome = await runConfined(peer, READ_ONLY, `touch ${file}`);
      expect(outcome).toMatchObject({ exitCode: 1, sandboxDenied: true, sandboxType: "linuxSeccomp" });
      expect(outcome.stderr).toMatch(/Read-only file system|Permission denied/);
      expect(existsSync(file)).toBe(false);
    }
  });

  test("fs 74 a restricted network has no addresses and no local servers, and pairs of sockets", async () => {
    using scratch = scratchDirectory();
    const socket = `${scratch.path}/socket`;
    const listener = createServer((peer) => peer.end()).listen(socket);
    await new Promise((resolve) => listener.once("listening", resolve));
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const tcp = { argv: ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/9"] };
    const unix = {
      argv: [
        process.execPath,
        "-e",
        `require("node:net").connect(${JSON.stringify(socket)}).on("connect", () => process.exit(7))` +
        `.on("error", () => process.exit(8));`,
      ],
    };
    const pair = { argv: [process.execPath, "-e", `process.exit(Bun.spawnSync(["true"]).exitCode + 9)`] };
    try {
      expect((await runConfined(peer, null, "", unix)).exitCode).toBe(7);
      for (const sandbox of [READ_ONLY, NO_NETWORK]) {
        const { stderr, sandboxDenied } = await runConfined(peer, sandbox, "", tcp);
        expect([stderr, sandboxDenied]).toEqual([expect.stringContaining("Operation not permitted"), true]);
        expect((await runConfined(peer, sandbox, "", unix)).exitCode).toBe(8);
        expect((await runConfined(peer, sandbox, "", pair)).exitCode).toBe(9);
      }
    } finally {
      listener.close();
    }
  });

  test("fs 75 nobody in a sandbox has a capability or can get a privilege", async () => {
    using scratch = scratchDirectory();
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    for (
      const sandbox of [READ_ONLY, workspaceWrite(scratch.path), workspaceWrite(scratch.path, "enabled")]
    ) {
      const { stdout } = await runConfined(
        peer,
        sandbox,
        "grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status",
      );
      expect(stdout).toMatch(/NoNewPrivs:\t1\n/);
      expect(stdout).toMatch(/Seccomp:\t2\n/);
      expect(stdout.match(/^Cap(?:Inh|Prm|Eff|Amb):\t0+$/gm)).toHaveLength(4);
    }
  });

  test("fs 77 a protected path that leads through a link which could be replaced is refused", async () => {
    using scratch = scratchDirectory();
    mkdirSync(`${scratch.path}/real/secret`, { recursive: true });
    symlinkSync("real", `${scratch.path}/link`);
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const entries = [
      special("root", "read"),
      special("project_roots", "write"),
      path(`file://${scratch.path}/link/secret`, "deny"),
    ];
    const sandbox = context(managed(entries), {
      cwd: `file://${scratch.path}`,
      workspaceRoots: [`file://${scratch.path}`],
    });
    if (isOurs) {
      const { code, message } = await refused(peer, sandbox);
      expect([code, message]).toEqual([-32602, expect.stringContaining(`${CANNOT}: `)]);
    } else {
      expect((await runConfined(peer, sandbox, "exit 0")).exitCode).not.toBe(0);
    }
  });

  test("fs 78 paths of another machine are refused before anything runs, whatever the profile", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const foreign = "file:///C:/x";
    const cause = `'${foreign}' is invalid on 'linux'`;
    const cases: [Json, string][] = [
      [{ cwd: foreign }, "sandbox policy cwd"],
      [{ workspaceRoots: ["file:///tmp", foreign] }, "sandbox workspace root"],
      [{ policyContext: { cwd: foreign, workspaceRoots: [] } }, "sandbox policy cwd"],
      [{ permissions: managed([path(foreign, "read")]) }, "sandbox permission path"],
    ];
    for (const [more, what] of cases) {
      for (const base of [READ_ONLY, context({ type: "disabled" })]) {
        expect(await refused(peer, { ...base, ...more })).toMatchObject({
          code: -32602,
          message: `failed to prepare process sandbox: invalid ${what}: ${cause}`,
        });
      }
    }
  });

  test("fs 79 a denial is guessed from the exit code and the last words, and never without a sandbox", async () => {
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const cases: [string, boolean][] = [
      ["exit 0", false],
      ["echo permission denied; exit 0", false],
      ["echo Permission Denied >&2; sleep 0.1; exit 2", true],
      ["exit 1", false],
      ["exit 2", false],
      ["exit 127", false],
      ["exit 159", true],
      ["kill -SYS $$", true],
      ["echo EPERM; exit 1", false],
      ["printf 'permission '; sleep 0.05; printf denied; sleep 0.1; exit 1", true],
      ["echo permission denied; head -c 3000000 /dev/zero | tr '\\\\0' x; exit 1", false],
    ];
    for (const [script, denied] of cases) {
      expect([script, (await runConfined(peer, READ_ONLY, script)).sandboxDenied]).toEqual([script, denied]);
      expect([script, (await runConfined(peer, null, script)).sandboxDenied]).toEqual([script, false]);
    }
    // Time for its words to be read before its end: the real server waits 20 ms for them and no longer.
    const words = "echo permission denied; sleep 0.1; exit 1";
    const onTerminal = await runConfined(peer, READ_ONLY, words, { tty: true });
    expect(onTerminal.sandboxDenied).toBe(true);
  });

  test("fs 80 profiles that restrict nothing run plainly, and are called sandboxed all the same", async () => {
    using scratch = scratchDirectory();
    await using server = await target.serve();
    await using peer = await Peer.ready(server.url);
    const unrestricted = [
      { type: "disabled" },
      { type: "external", network: "enabled" },
      { type: "managed", file_system: { type: "unrestricted" }, network: "enabled" },
    ];
    for (const [index, permissions] of unrestricted.entries()) {
      const file = `${scratch.path}/${index}`;
      const script = `grep Seccomp: /proc/self/status; echo x > ${file}; echo sandbox; exit 1`;
      const outcome = await runConfined(peer, context(permissions), script);
      expect(outcome).toMatchObject({ sandboxType: "linuxSeccomp", sandboxDenied: true, exitCode: 1 });
      expect([existsSync(file), outcome.stdout]).toEqual([true, "Seccomp:\t0\nsandbox\n"]);
    }
    expect((await runConfined(peer, null, "exit 0")).sandboxType).toBe("none");
  });

  test("fs 84 a network that nobody here manages is refused, or ignored where it asks for nothing", async () => {
    await using server = await target.serve();
    await using peer = await Peer.connect(server.url);
    const info = (await peer.initialize()).environmentInfo as { capabilities: Record<string, boolean> };
    const managedNetwork = { loopbackPorts: [1], allowLocalBinding: false };
    const { sandboxType } = await peer.call<{ sandboxType: string }>(
      "process/start",
      confined(peer, null, { managedNetwork }),
    );
    expect(sandboxType).toBe("none");
    if (!isOurs) return;
    for (const flag of ["networkProxyLaunch", "networkProxyReviewDomains", "credentialMasking"]) {
      expect(info.capabilities[flag] ?? false).toBe(false);
    }
    expect(await refused(peer, null, { enforceManagedNetwork: true })).toMatchObject({
      code: -32602,
      message: `${CANNOT}: managed networking needs a sandbox`,
    });
    for (const sandbox of [null, READ_ONLY, context({ type: "disabled" })]) {
      expect(await refused(peer, sandbox, { networkProxy: { proxy: { enabled: true } } })).toMatchObject({
        code: -32602,
        message: "network proxy launch is not supported on this executor",
      });
    }
  });
});

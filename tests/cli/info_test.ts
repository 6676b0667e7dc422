import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "@std/path";
import { version } from "../../lib/version.ts";
import { type ServerProcess, spawnServer } from "../support/target_process.ts";
import { binary } from "./binary.ts";
import { tryBinary } from "./try_binary.ts";

const TOKEN = "open-sesame";
let program: string;
let directory: string;
let tokenFile: string;
let server: ServerProcess;

beforeAll(async () => {
  program = await binary();
  directory = await mkdtemp(join(tmpdir(), "exec-server-info-"));
  tokenFile = join(directory, "token");
  await Bun.write(tokenFile, TOKEN);
  await Bun.write(
    join(directory, "exec-server/config.toml"),
    `default = "pipe"\n[hosts.pipe]\nprogram = "${program}"\nargs = ["serve", "--listen", "stdio"]\ncwd = "/usr"\n` +
      `[hosts.mute]\nprogram = "sh"\nargs = ["-c", "echo permission denied >&2; exit 1"]\n` +
      `[hosts.loud]\nprogram = "sh"\nargs = ["-c", "echo Welcome; exec cat >&2"]\n` +
      `[hosts.rude]\nprogram = "sh"\nargs = ["-c", "printf 'no\\\\033[2J\\\\n' >&2; exit 1"]\n` +
      `[hosts.missing]\nprogram = "no-such-program"\n`,
  );
  server = await spawnServer([
    program,
    "serve",
    "--ws-auth",
    "capability-token",
    "--ws-token-file",
    tokenFile,
  ]);
}, 60_000);

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

describe("info", () => {
  test("tells what this machine is", async () => {
    const { status, stdout, stderr } = await tryBinary(["info"]);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^environment +local\naddress +this machine\nstatus +ready\n/);
    expect(stdout).toContain(`here ${version}, there ${version}\n`);
    expect(stdout).toMatch(/^directory +\/$/m);
  });

  test("tells what a server is, as lines and as JSON", async () => {
    const flags = ["-s", server.url, "--token-file", tokenFile];
    const lines = await tryBinary(["info", ...flags]);
    expect([lines.status, lines.stderr]).toEqual([0, ""]);
    expect(lines.stdout).toMatch(/^environment +remote \(chosen by --server\)$/m);
    expect(lines.stdout).toMatch(/^latency +[\d.]+ ms \(best [\d.]+ ms\)$/m);
    expect(lines.stdout).toMatch(
      /^extensions +terminal\.v1, stdin\.v1, signals\.v1, flow\.v1, files\.v1, outcome\.v1, processes\.v1$/m,
    );

    const json = await tryBinary(["info", "--json", ...flags]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      environment: "remote",
      address: server.url,
      chosenBy: "--server",
      status: "ready",
      versions: { here: version, there: version },
      latencyMs: { best: expect.any(Number), median: expect.any(Number) },
      capabilities: { execEnabled: true, filesystemEnabled: true },
      cwd: process.cwd(),
      extensions: [
        "terminal.v1",
        "stdin.v1",
        "signals.v1",
        "flow.v1",
        "files.v1",
        "outcome.v1",
        "processes.v1",
      ],
      trees: { tier: expect.any(String), limits: expect.arrayContaining(["wallMs", "idleMs"]) },
    });
    expect(lines.stdout + json.stdout).not.toContain(TOKEN);
  });

  test("takes the default of config.toml, a program over stdio", async () => {
    const { status, stdout, stderr } = await tryBinary(["info"], { XDG_CONFIG_HOME: directory });
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^environment +pipe \(chosen by `default` in .*config\.toml\)$/m);
    expect(stdout).toMatch(/^directory +\/usr$/m);
  });

  test("without the token: one line of cause, one of hint, 255", async () => {
    const { status, stdout, stderr } = await tryBinary(["info", "-s", server.url]);
    expect([status, stdout]).toEqual([255, ""]);
    expect(stderr).toMatch(
      /^exec-server: .*401.*\nHint: give the server's token with --token-file FILE or .*\n$/,
    );
  });

  test.each([
    [
      "a port where nobody listens",
      ["-s", "ws://127.0.0.1:1"],
      /Connection refused.*\nHint: see that `exec-server serve` runs/,
    ],
    [
      "a program that ends",
      ["--host", "mute"],
      /its last words: permission denied.*\nHint: see that the program starts a server/,
    ],
    ["a program that clears the screen", ["--host", "rude"], /its last words: no\\x1b\[2J\)\nHint: see/],
    [
      "a program with a banner",
      ["--host", "loud"],
      /malformed.*\nHint: see that the program .* its stdout\n$/,
    ],
    [
      "a program that is not there",
      ["--host", "missing"],
      /failed to spawn.*\nHint: see that the program is in PATH/,
    ],
  ])("says what to do about %s", async (_, flags, message) => {
    const { status, stderr } = await tryBinary(["info", ...flags], { XDG_CONFIG_HOME: directory });
    expect(stderr).toMatch(message);
    expect([status, stderr.split("\n").length]).toEqual([255, 3]);
  });

  test.each([
    ["an unknown option", ["--what"]],
    ["a word", ["what"]],
    ["what is no URL", ["-s", "devbox"]],
  ])("refuses %s as wrong usage", async (_, args) => {
    const { status, stderr } = await tryBinary(["info", ...args]);
    expect([status, stderr.split("\n").length]).toEqual([2, 3]);
  });
});

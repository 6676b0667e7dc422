import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "@std/path";
import { type ServerProcess, spawnServer } from "../support/target_process.ts";
import { binary } from "./binary.ts";
import { tryBinary } from "./try_binary.ts";

let directory: string;
let tokenFile: string;
let server: ServerProcess;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "exec-server-doctor-"));
  tokenFile = join(directory, "token");
  await Bun.write(tokenFile, "open-sesame");
  await chmod(tokenFile, 0o600);
  server = await spawnServer(
    [await binary(), "serve", "--ws-auth", "capability-token", "--ws-token-file", tokenFile],
    { PATH: "/usr/bin:/bin", HOME: tmpdir(), SHELL: "/bin/sh", LANG: "C.UTF-8" },
  );
}, 60_000);

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

/** What it found, by name: `ok only you can read it`. */
function findings(stdout: string): Record<string, string> {
  const lines = stdout.trimEnd().split("\n").map((line) => /^(ok|warn|fail) +([\w ]+): (.*)$/.exec(line));
  return Object.fromEntries(lines.map((match) => [match?.[2] ?? "", `${match?.[1]} ${match?.[3]}`]));
}

async function doctor(flags: readonly string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = await tryBinary(["doctor", ...flags], env);
  expect(stderr).toBe("");
  return { status, stdout, found: findings(stdout) };
}

describe("doctor", () => {
  test("finds nothing wrong where nothing is", async () => {
    const { status, found } = await doctor([], { LANG: "C.UTF-8", TERM: "dumb" });
    const names = ["place", "reachable", "shell", "path", "term", "locale", "open files", "proc"];
    expect(Object.keys(found)).toEqual([...names, "temporary files", "sandbox", "process trees"]);
    const { sandbox, ...others } = found;
    expect(Object.values(others).filter((line) => !line.startsWith("ok "))).toEqual([]);
    // Whether it can be had is up to the machine.
    expect(sandbox).toMatch(
      /^(?:ok holds files and network \(|warn holds (?:network only|nothing) \(.+: .+ Hint: )/,
    );
    expect([status, found["place"]]).toEqual([0, "ok this machine, as nothing else was named"]);
  });

  test("warns of what is missing, with a hint for each, and still ends well", async () => {
    const { status, found } = await doctor([], { TERM: "no-such-terminal", LANG: "C" });
    for (const name of ["term", "locale"]) expect(found[name]).toMatch(/^warn .*\. Hint: .+$/);
    expect(status).toBe(0);
  });

  test("fails where PATH leads nowhere", async () => {
    const { status, found } = await doctor([], { PATH: "/no/where" });
    expect(found["path"]).toStartWith("fail none of the directories in PATH is there (/no/where). Hint: ");
    expect(status).toBe(1);
  });

  test("warns of a low limit of open files", async () => {
    await using child = Bun.spawn(["sh", "-c", 'ulimit -n 256; exec "$0" doctor', await binary()], {
      env: { PATH: "/usr/bin:/bin", HOME: tmpdir() },
      stdout: "pipe",
    });
    const found = findings(await child.stdout.text());
    expect(found["open files"]).toStartWith("warn only 256 for each process. Hint: raise it");
  });

  test("looks at a server: token, versions, and a command there", async () => {
    const { status, stdout, found } = await doctor(["-s", server.url, "--token-file", tokenFile]);
    expect(found).toMatchObject({
      "token file": "ok only you can read it",
      reachable: expect.stringMatching(/^ok answers in [\d.]+ ms$/),
      versions: expect.stringMatching(/^ok .* on both sides$/),
      path: "ok /usr/bin:/bin",
    });
    expect(status).toBe(0);
    expect(stdout).not.toContain("open-sesame");
  });

  test("warns of a token that others can read", async () => {
    const open = join(directory, "open");
    await Bun.write(open, "open-sesame");
    await chmod(open, 0o644);
    const { found } = await doctor(["-s", server.url, "--token-file", open]);
    expect(found["token file"]).toBe(`warn others can read ${open} (mode 644). Hint: chmod 600 ${open}`);
  });

  test("fails at a server that lets nobody in without a token, and says how to get in", async () => {
    const { status, found } = await doctor(["-s", server.url]);
    expect(found["reachable"]).toMatch(
      /^fail .*401.*\. Hint: give the server's token with --token-file FILE/,
    );
    expect([status, Object.keys(found)]).toEqual([1, ["place", "reachable"]]);
  });

  test("fails where nothing listens, and warns that the way there is open", async () => {
    const { status, found } = await doctor(["-s", "ws://no-such-host.invalid:1"]);
    expect(found["encryption"]).toStartWith("warn everything travels in the clear. Hint: use wss:");
    expect(found["reachable"]).toMatch(/^fail .*\. Hint: see that `exec-server serve` runs there/);
    expect(status).toBe(1);
  });

  test("fails where the configuration is wrong, and says in which line", async () => {
    await Bun.write(join(directory, "exec-server/config.toml"), "\n[hosts.box]\nurl = 3\n");
    const { status, found } = await doctor([], { XDG_CONFIG_HOME: directory });
    expect(found["place"]).toMatch(
      /config\.toml: invalid type: integer, expected a string \(in .*, line 3\)\. Hint: /,
    );
    expect([status, Object.keys(found)]).toEqual([1, ["place"]]);
  });
});

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "@std/path";
import { findCodex } from "../support/real_codex.ts";
import { type ServerProcess, spawnServer } from "../support/target_process.ts";
import { ended, Heard, type Ran, ROOT } from "./run_program.ts";
import { Person } from "./run_terminal.ts";

// Processes that outlive whoever started them: `run -d`, `ps`, `logs`, `attach`, `wait`, `kill`. Each call is a client of
// its own, so between two of them there is none.

const PROGRAM = [process.execPath, "--no-env-file", join(ROOT, "main.ts")];

let server: ServerProcess;

beforeAll(async () => {
  server = await spawnServer([...PROGRAM, "serve"]);
});

afterAll(() => server[Symbol.asyncDispose]());

function begin(args: readonly string[], env: Record<string, string> = {}) {
  return Bun.spawn([...PROGRAM, ...args], {
    cwd: ROOT,
    env: { ...process.env, CODEX_EXEC_SERVER_URL: undefined, EXEC_SERVER_URL: server.url, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
}

async function go(args: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
  await using child = begin(args, env);
  const [stdout, stderr, status] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  return { status, stdout, stderr };
}

async function detached(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await go(["run", "-d", ...args]);
  expect([status, stderr]).toEqual([0, ""]);
  return stdout.trim();
}

describe("run -d", () => {
  test("prints an id, and others see, read and await what goes on without it", async () => {
    const script = "echo out; echo err >&2; until [ -e $0 ]; do sleep 0.05; done; echo late; exit 7";
    const flag = `${Bun.env["TMPDIR"] ?? "/tmp"}/kept-${crypto.randomUUID()}`;
    const id = await detached("--name", "build", "--label", "who=me", "--", "sh", "-c", script, flag);
    expect(id).toMatch(/^run-[0-9a-f]{12}$/);
    const listed = await go(["ps", "--label", "who=me"]);
    expect(listed.stdout).toMatch(/^ID +NAME +STATE +AGE +COMMAND +LABELS\n/);
    expect(listed.stdout).toContain(`${id}  build  running`);
    expect(listed.stdout).not.toContain("until");
    expect(JSON.parse((await go(["ps", "--json", "--label", "who=me"])).stdout)).toMatchObject({
      ...{ id, name: "build", state: "running", labels: { who: "me" }, program: "sh" },
    });
    await using follower = begin(["logs", "build", "-f"]);
    const heard = new Heard(follower.stdout);
    await heard.until("out\n");
    await using waiting = begin(["wait", id]);
    await Bun.write(flag, "");
    expect(await waiting.exited).toBe(7);
    expect(await follower.exited).toBe(0);
    await Bun.file(flag).delete();
    expect(heard.text).toBe("out\nlate\n");
    expect(await go(["logs", id])).toEqual({ status: 0, stdout: "out\nlate\n", stderr: "err\n" });
    expect((await go(["logs", "build", "--grep", "^l", "--tail", "5"])).stdout).toBe("late\n");
    expect((await go(["logs", "--stream", "stderr", id])).stdout).toBe("");
    expect(await go(["attach", id])).toEqual({ status: 7, stdout: "out\nlate\n", stderr: "err\n" });
    expect((await go(["wait", id.slice(0, 10)])).status).toBe(7);
  }, 30_000);

  test("is ended by kill, with what it started, and by a signal of one's choice", async () => {
    const id = await detached(
      "sh",
      "-c",
      "setsid sleep 300 & echo $!; trap 'exit 4' USR1; while :; do sleep 0.05; done",
    );
    await using follower = begin(["logs", id, "-f"]);
    const heard = new Heard(follower.stdout);
    await heard.until("\n");
    expect((await go(["kill", "-s", "USR1", id])).status).toBe(0);
    expect((await go(["wait", id])).status).toBe(4);
    const again = await go(["kill", id]);
    expect([again.status, again.stderr]).toEqual([1, `exec-server: ${id} has ended already\n`]);
    await ended(Number(heard.text));
    const other = await detached("sh", "-c", "exec sleep 300");
    expect((await go(["kill", other])).status).toBe(0);
    expect((await go(["wait", other])).status).toBe(143);
    expect((await go(["ps"])).stdout).toMatch(new RegExp(`${other} .*killed by TERM`));
  }, 30_000);

  test("keeps its time limit, which wait tells", async () => {
    const id = await detached("--timeout", "200ms", "-k", "100ms", "sleep", "300");
    expect((await go(["wait", id])).status).toBe(124);
  }, 20_000);

  test("takes a name that nobody has", async () => {
    const id = await detached("--name", "taken", "sleep", "300");
    const { status, stderr } = await go(["run", "-d", "--name", "taken", "true"]);
    expect(status).toBe(125);
    expect(stderr).toContain(`the name taken is taken by ${id}`);
    expect((await go(["run", "-d", "--name", "no name", "true"])).status).toBe(125);
    expect((await go(["run", "--label", "a=b", "true"])).status).toBe(125);
    await go(["kill", id]);
  }, 20_000);
});

describe("attach", () => {
  test("shows two terminals the same, the last of which types, and is left by ~.", async () => {
    const id = await detached(
      "-t",
      "--name",
      "shared",
      "sh",
      "-c",
      "echo ready; while read word; do echo got $word; done",
    );
    const words = PROGRAM.map((word) => `'${word}'`).join(" ");
    const attach = `${words} attach -s ${server.url} shared; echo status $?`;
    await using one = new Person(attach);
    await one.sees("ready");
    one.types("first\r");
    await one.sees("got first");
    await using two = new Person(attach);
    await two.sees("got first");
    two.types("second\r");
    await two.sees("got second");
    await one.sees("got second");
    one.types("\r~.");
    await one.sees(`exec-server attach -s ${server.url}`);
    await one.sees("status 255");
    two.types("third\r");
    await two.sees("got third");
    two.types("\x04");
    await two.sees("status 0");
    expect((await go(["wait", id])).status).toBe(0);
  }, 30_000);

  test("is left by Ctrl-C where there is no terminal, and the command runs on", async () => {
    const id = await detached("sh", "-c", "echo up; exec sleep 300");
    await using child = begin(["attach", id]);
    await new Heard(child.stdout).until("up");
    child.kill("SIGINT");
    expect(await child.exited).toBe(255);
    expect((await go(["ps"])).stdout).toMatch(new RegExp(`${id} .*running`));
    await go(["kill", id]);
  }, 20_000);

  test("gives it our input with -i", async () => {
    const id = await detached("-i", "cat");
    const line = `echo word | ${PROGRAM.map((word) => `'${word}'`).join(" ")} attach -i ${id}; echo $?`;
    await using child = Bun.spawn(["bash", "-c", line], {
      env: { ...process.env, EXEC_SERVER_URL: server.url },
      stdout: "pipe",
    });
    expect(await child.stdout.text()).toBe("word\n0\n");
  }, 20_000);
});

describe("run --name", () => {
  test("goes on when it is left, and says how to see it again", async () => {
    await using person = new Person(
      `$RUN -s ${server.url} --name mine -t -- sh -c 'echo up; read word; exit 6'; echo status $?`,
    );
    await person.sees("up");
    person.types("\r~.");
    await person.sees(`exec-server attach -s ${server.url}`);
    await person.sees("status 255");
    expect((await go(["wait", "mine"])).status).toBe(6);
  }, 20_000);

  test("outlives whoever read its output from us", async () => {
    const line = `${
      PROGRAM.map((word) => `'${word}'`).join(" ")
    } run --name piped yes | head -1; echo \${PIPESTATUS[0]}`;
    await using child = Bun.spawn(["bash", "-c", line], {
      env: { ...process.env, EXEC_SERVER_URL: server.url },
      stdin: "ignore",
      stdout: "pipe",
    });
    expect(await child.stdout.text()).toBe("y\n141\n");
    expect((await go(["ps"])).stdout).toMatch(/piped +running/);
    await go(["kill", "piped"]);
  }, 20_000);

  test("outlives its terminal", async () => {
    await using child = begin(["run", "--name", "hung", "sh", "-c", "echo up; exec sleep 300"]);
    await new Heard(child.stdout).until("up");
    child.kill("SIGHUP");
    expect(await child.exited).toBe(255);
    expect((await go(["ps"])).stdout).toMatch(/hung +running/);
    await go(["kill", "hung"]);
  }, 20_000);
});

describe("where nothing is kept", () => {
  test("right here, all of it is refused with a hint", async () => {
    for (
      const [args, status] of [
        [["run", "-d", "true"], 125],
        [["run", "--name", "x", "true"], 125],
        [["ps"], 1],
        [["logs", "x"], 1],
        [["attach", "x"], 125],
        [["wait", "x"], 125],
        [["kill", "x"], 1],
      ] as const
    ) {
      const ran = await go([...args], { EXEC_SERVER_URL: "" });
      expect([ran.status, ran.stdout]).toEqual([status, ""]);
      expect(ran.stderr).toMatch(
        /^exec-server: nothing is kept right here.*\nHint: .*exec-server serve.*\n$/,
      );
    }
  }, 30_000);

  const codexHere = findCodex("0.169.0");
  test("at a plain Codex server, too", async () => {
    const codex = await codexHere;
    if (!codex.found) return;
    await using plain = await spawnServer([codex.binary, "exec-server", "--listen", "ws://127.0.0.1:0"]);
    for (const args of [["run", "-d", "true"], ["ps"], ["attach", "x"]]) {
      const ran = await go(args, { EXEC_SERVER_URL: plain.url });
      expect(ran.status).toBeGreaterThan(0);
      expect(ran.stderr).toMatch(
        /^exec-server: this server keeps no processes: it is a plain Codex server.*\nHint: /,
      );
    }
  }, 30_000);

  test("a process that does not exist is named, and ps is where to look", async () => {
    for (const [command, status] of [["logs", 1], ["attach", 125], ["wait", 125], ["kill", 1]] as const) {
      expect(await go([command, "nobody"])).toEqual({
        status,
        stdout: "",
        stderr: "exec-server: no kept process nobody\nHint: `exec-server ps` lists those there are\n",
      });
    }
    expect((await go(["logs", "x", "--tail", "y"])).status).toBe(2);
    expect((await go(["wait"])).status).toBe(125);
    expect((await go(["kill", "-s", "NOPE", "x"])).status).toBe(2);
  }, 30_000);
});

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "@std/path";
import { CutProxy } from "../support/cut_proxy.ts";
import { CODEX_VERSIONS, findCodex } from "../support/real_codex.ts";
import { type ServerProcess, spawnServer } from "../support/target_process.ts";
import { ended, Heard, ROOT, run, shell, start } from "./run_program.ts";
import { Person } from "./run_terminal.ts";

const SERVE = [process.execPath, "--no-env-file", join(ROOT, "main.ts"), "serve"];

let server: ServerProcess;
let directory: string;

/** A variable of the server's own, for it is its environment that commands get. */
const serve = () => spawnServer(SERVE, { PATH: process.env["PATH"] ?? "", WHOSE: "the server's" });

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "exec-server-remote-"));
  server = await serve();
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const host = () => new URL(server.url).host;

describe("a command on a server", () => {
  test("has its streams and its status", async () => {
    const result = await run(["-s", server.url, "--", "sh", "-c", "cat; echo err >&2; exit 3"], {
      stdin: "in\n",
    });
    expect(result).toEqual({ status: 3, stdout: "in\n", stderr: "err\n" });
  });

  test("is found by EXEC_SERVER_URL, then CODEX_EXEC_SERVER_URL", async () => {
    const env = { EXEC_SERVER_URL: server.url, CODEX_EXEC_SERVER_URL: "ws://127.0.0.1:1" };
    expect((await run(["printenv", "WHOSE"], { env })).stdout).toBe("the server's\n");
    const codex = { CODEX_EXEC_SERVER_URL: server.url };
    expect((await run(["printenv", "WHOSE"], { env: codex })).stdout).toBe("the server's\n");
  });

  test("has the server's environment with -e on top, and the server's directory", async () => {
    const env = { WHOSE: "ours", OURS: "1", EXEC_SERVER_URL: server.url };
    expect(
      (await run(["-e", "MORE=2", "sh", "-c", 'echo "$WHOSE|$OURS|$MORE"'], { env, cwd: directory })).stdout,
    )
      .toBe("the server's||2\n");
    expect((await run(["pwd"], { env, cwd: directory })).stdout).toBe(`${process.cwd()}\n`);
    expect((await run(["-w", directory, "pwd"], { env })).stdout).toBe(`${directory}\n`);
    expect((await run(["--clean-env", "-e", "A=1", "/usr/bin/env"], { env })).stdout).toBe("A=1\n");
  });

  test("carries a tree through tar, and ends as a local pipe does", async () => {
    await shell(
      `mkdir ${directory}/from ${directory}/to; head -c 3000000 /dev/urandom > ${directory}/from/file`,
    );
    const line = `tar c -C ${directory}/from . | $RUN -- tar x -C ${directory}/to; echo $?
      cmp ${directory}/from/file ${directory}/to/file && echo equal
      $RUN -- yes | head -1; echo "\${PIPESTATUS[*]}"`;
    expect((await shell(line, { EXEC_SERVER_URL: server.url })).stdout).toBe("0\nequal\ny\n141 0\n");
  });

  test("is refused in the words of shells", async () => {
    const args = (...rest: string[]) => ["-s", server.url, ...rest];
    expect(await run(args("-e", "PATH=/nowhere", "cargo"))).toEqual({
      status: 127,
      stdout: "",
      stderr: `exec-server: cannot start "cargo": not found in PATH on ${host()} (PATH=/nowhere)\n` +
        "Hint: pass -e PATH or use a full path\n",
    });
    expect((await run(args("-w", "/nowhere", "true"))).status).toBe(125);
    expect((await run(args("/etc/passwd"))).status).toBe(126);
  });

  test("gets signals and time limits", async () => {
    const line = 'trap "echo got; exit 7" USR2; echo up; while :; do sleep 0.05; done';
    await using child = start(["-s", server.url, "sh", "-c", line]);
    const said = new Heard(child.stdout);
    await said.until("up");
    child.kill("SIGUSR2");
    expect(await child.exited).toBe(7);
    expect((await run(["-q", "-s", server.url, "--timeout=200ms", "sleep", "60"])).status).toBe(124);
  });

  test("has a terminal of our size, which is put back at the end", async () => {
    const line =
      `b=$(stty -g); $RUN -s ${server.url} -t -- sh -c 'stty size; echo $TERM; kill -9 $$'; echo status $?
      [ "$b" = "$(stty -g)" ] && echo same`;
    await using person = new Person(line, { rows: 31, cols: 77 });
    await person.sees("same");
    expect(person.seen).toContain("31 77\r\nxterm\r\nstatus 137\r\n");
  });

  test("runs on when it is left, and we say where", async () => {
    const mark = join(directory, "left");
    await using person = new Person(
      `$RUN -s ${server.url} -t -- sh -c 'echo $$ > ${mark}; echo up; sleep 300'; echo status $?`,
    );
    await person.sees("up");
    person.types("\r~.");
    await person.sees("status 255");
    expect(person.seen).toContain(`runs on at ${host()} until its session ends there`);
    const pid = Number(await Bun.file(mark).text());
    process.kill(-pid, "SIGKILL"); // throws where it does not run any more
    await ended(pid);
  });
});

describe("a lost connection", () => {
  test("is said in one line and costs no byte", async () => {
    await using proxy = await CutProxy.to(server.url);
    await using child = start([
      "-s",
      proxy.url,
      "sh",
      "-c",
      "for i in $(seq 1 40); do echo $i; sleep 0.05; done; exit 9",
    ]);
    const [said, complaint] = [new Heard(child.stdout), new Heard(child.stderr)];
    await said.until("\n5\n");
    proxy.cut();
    await complaint.until("connected again");
    expect(await child.exited).toBe(9);
    await said.until("\n40\n");
    expect(said.text).toBe(Array.from({ length: 40 }, (_, i) => `${i + 1}\n`).join(""));
    expect(complaint.text).toMatch(
      /^exec-server: connection lost, reconnecting \(attempt \d+\)\nexec-server: connected again\n$/,
    );
  });

  test("for good is 255, and we say where it may still run", async () => {
    await using mortal = await serve();
    await using child = start([
      "-s",
      mortal.url,
      "--reconnect-timeout",
      "1s",
      "sh",
      "-c",
      "echo $$; sleep 300",
    ]);
    const [said, complaint] = [new Heard(child.stdout), new Heard(child.stderr)];
    await said.until("\n");
    mortal.kill("SIGKILL");
    expect(await child.exited).toBe(255);
    await complaint.until("it may still run on");
    expect(complaint.text).toContain('the result of "sh" is unknown');
    process.kill(-Number(said.text), "SIGKILL"); // nobody else could: its server had no time to
  });

  test("leaves the command at once with --on-disconnect detach", async () => {
    await using proxy = await CutProxy.to(server.url);
    const line = `echo $$; sleep 300`;
    await using child = start(["-s", proxy.url, "--on-disconnect", "detach", "sh", "-c", line]);
    const [said, complaint] = [new Heard(child.stdout), new Heard(child.stderr)];
    await said.until("\n");
    proxy.cut();
    expect(await child.exited).toBe(255);
    await complaint.until("until its session ends there");
    const pid = Number(said.text);
    process.kill(-pid, "SIGKILL");
    await ended(pid);
  });

  test("ends the command with --on-disconnect kill", async () => {
    await using proxy = await CutProxy.to(server.url);
    await using child = start(["-s", proxy.url, "--on-disconnect", "kill", "sh", "-c", "echo $$; sleep 300"]);
    const said = new Heard(child.stdout);
    await said.until("\n");
    proxy.cut();
    expect(await child.exited).toBe(255);
    await ended(Number(said.text));
  });
});

describe("the way out", () => {
  /** A command whose connection is lost and does not come back. */
  const cutOff = async (proxy: CutProxy, ...flags: string[]) => {
    const child = start(["-s", proxy.url, ...flags, "sh", "-c", "echo $$; exec sleep 300"]);
    const [said, complaint] = [new Heard(child.stdout), new Heard(child.stderr)];
    await said.until("\n");
    proxy.isOpen = false;
    proxy.cut();
    await complaint.until("connection lost");
    const pid = Number(said.text);
    return { child, complaint, pid, end: () => process.kill(-pid, "SIGKILL") };
  };

  test.each([["TERM", 143], ["HUP", 129]] as const)(
    "is %s while the connection is lost",
    async (signal, status) => {
      await using proxy = await CutProxy.to(server.url);
      const { child, complaint, end } = await cutOff(proxy);
      await using _child = child;
      child.kill(`SIG${signal}`);
      expect(await child.exited).toBe(status);
      await complaint.until(`may still run on ${new URL(proxy.url).host} as run-`);
      end();
    },
  );

  test("is a time limit while the connection is lost", async () => {
    await using proxy = await CutProxy.to(server.url);
    const { child, complaint, pid } = await cutOff(proxy, "--timeout", "1s", "-k", "100ms");
    await using _child = child;
    await ended(pid); // its server keeps the limit, whoever listens
    expect(await child.exited).toBe(124);
    await complaint.until("may still run on");
  });

  test("is TERM where nobody answers, once the grace is over", async () => {
    await using proxy = await CutProxy.to(server.url);
    await using child = start(["-s", proxy.url, "-k", "100ms", "sh", "-c", "echo $$; exec sleep 300"]);
    const [said, complaint] = [new Heard(child.stdout), new Heard(child.stderr)];
    await said.until("\n");
    proxy.stall();
    child.kill("SIGTERM");
    expect(await child.exited).toBe(143);
    await complaint.until("may still run on");
    process.kill(-Number(said.text), "SIGKILL");
  });

  test("is a second TERM where the first is ignored", async () => {
    const line = 'trap "" TERM; trap "echo still" USR1; echo $$; while :; do sleep 0.05; done';
    await using child = start(["-s", server.url, "sh", "-c", line]);
    const said = new Heard(child.stdout);
    await said.until("\n");
    child.kill("SIGTERM");
    // Signals that wait at the same time may become one.
    child.kill("SIGUSR1");
    await said.until("still");
    child.kill("SIGTERM");
    expect(await child.exited).toBe(143);
    await ended(parseInt(said.text));
  });

  test("is ~. on a lost connection, whatever was typed before", async () => {
    await using proxy = await CutProxy.to(server.url);
    await using person = new Person(
      `before=$(stty -g); $RUN -s ${proxy.url} -t -- sh -c 'echo pid $$.; exec sleep 300'; echo status $?
      [ "$before" = "$(stty -g)" ] && echo same`,
    );
    await person.sees(/pid \d+\./);
    proxy.isOpen = false;
    proxy.cut();
    await person.sees("connection lost");
    person.types("typed\r");
    person.types("~?");
    await person.sees("leaves the command");
    person.types("~.");
    await person.sees("status 255");
    await person.sees("same");
    process.kill(-Number(/pid (\d+)/.exec(person.seen)![1]), "SIGKILL");
  });
});

describe("a server that cannot be reached", () => {
  test("is 255, with a cause and a hint and no stack", async () => {
    const { status, stdout, stderr } = await run(["-s", "ws://127.0.0.1:1", "true"]);
    expect({ status, stdout }).toEqual({ status: 255, stdout: "" });
    expect(stderr).toMatch(/^exec-server: cannot reach 127\.0\.0\.1:1: .*refused.*\nHint: .*\n$/i);
  });

  test("for want of a token tells which flag gives it", async () => {
    const file = join(directory, "token");
    await Bun.write(file, "0123456789abcdef0123456789abcdef");
    await using guarded = await spawnServer([
      ...SERVE,
      "--ws-auth",
      "capability-token",
      "--ws-token-file",
      file,
    ]);
    const { status, stderr } = await run(["-s", guarded.url, "true"]);
    expect(status).toBe(255);
    expect(stderr).toContain("--token-file");
    expect(await run(["-s", guarded.url, "--token-file", file, "echo", "in"])).toMatchObject({
      status: 0,
      stdout: "in\n",
    });
    expect((await run(["-s", guarded.url, "echo", "in"], { env: { EXEC_SERVER_TOKEN_FILE: file } })).status)
      .toBe(0);
  });
});

const codex = await findCodex("0.169.0");
const found = { "0.169.0": codex, "0.145.0": await findCodex("0.145.0") };

describe("a plain Codex server", () => {
  test.skipIf(!codex.found)(codex.found ? "runs what needs no more than it can" : codex.reason, async () => {
    if (!codex.found) return;
    await using plain = await spawnServer([codex.binary, "exec-server", "--listen", "ws://127.0.0.1:0"]);
    const at = (...rest: string[]) => run(["-v", "-s", plain.url, ...rest]);
    expect(await at("sh", "-c", "echo out; echo err >&2; exit 3")).toEqual({
      status: 3,
      stdout: "out\n",
      stderr: "err\n",
    });
    expect((await at("nosuch")).status).toBe(127);
    const late = await at("--timeout", "200ms", "sleep", "60");
    expect(late.status).toBe(124);
    expect(late.stderr).toContain("it knows only an interrupt and an immediate kill");
    await using person = new Person(`$RUN -s ${plain.url} -t -- cat; echo status $?`);
    person.types("line\r");
    await person.sees(/line\r\nline\r\n/);
    person.types("\x04");
    await person.sees("status 0");
  });

  test.skipIf(!codex.found)("is blamed for nothing when a command typed at a terminal ends", async () => {
    if (!codex.found) return;
    await using plain = await spawnServer([codex.binary, "exec-server", "--listen", "ws://127.0.0.1:0"]);
    await using person = new Person(`$RUN -s ${plain.url} -- echo out; echo status $?`);
    await person.sees(/status \d+\r/);
    expect(person.seen).toStartWith("out\r\nstatus 0\r");
  });
});

describe("a plain Codex server's shell and input", () => {
  test.skipIf(!codex.found)("a login shell starts on its terminal", async () => {
    if (!codex.found) return;
    await using plain = await spawnServer([codex.binary, "exec-server", "--listen", "ws://127.0.0.1:0"]);
    await using person = new Person(`$RUN -s ${plain.url} -t; echo status $?`);
    person.types("echo is $((6 * 7)); exit 9\r");
    await person.sees("is 42");
    await person.sees("status 9");
  });

  for (const version of CODEX_VERSIONS) {
    test.skipIf(!found[version].found)(`the whole input comes as a file, codex ${version}`, async () => {
      const real = found[version];
      if (!real.found) return;
      const temp = await mkdtemp(join(directory, "temp-"));
      await using plain = await spawnServer([real.binary, "exec-server", "--listen", "ws://127.0.0.1:0"], {
        PATH: process.env["PATH"] ?? "",
        HOME: temp,
        TMPDIR: temp,
      });
      const at = (stdin: string | Uint8Array, ...rest: string[]) =>
        run(["-s", plain.url, ...rest], { stdin });
      expect(await at("words", "sh", "-c", "cat; exit 3")).toEqual({
        status: 3,
        stdout: "words",
        stderr: "",
      });
      expect(await at("words", "-e", "PATH=/nowhere", "/bin/cat", "-", "/dev/null")).toMatchObject({
        status: 0,
        stdout: "words",
      });
      expect((await at("words", "nosuch")).status).toBe(127);
      expect(await at("words", "-w", "/nowhere", "cat")).toMatchObject({ status: 127, stdout: "" });
      const large = new Uint8Array(11 * 1024 * 1024).map((_, place) => place % 251);
      const hash = new Bun.CryptoHasher("sha256").update(large).digest("hex");
      expect(await at(large, "sha256sum")).toMatchObject({ status: 0, stdout: `${hash}  -\n` });
      const piped = await shell(`echo piped | $RUN -s ${plain.url} cat; echo $?
        yes | $RUN -s ${plain.url} cat; echo $?`);
      expect(piped.stdout).toBe("piped\n0\n125\n");
      expect(piped.stderr).toContain("longer than 11534336 bytes\nHint: pass -n");
      expect((await readdir(temp)).filter((name) => name.startsWith(".exec-server-"))).toEqual([]);
    }, 30_000);
  }

  test.skipIf(!codex.found)("its file is private, and has no name when the command runs", async () => {
    if (!codex.found) return;
    await using plain = await spawnServer([codex.binary, "exec-server", "--listen", "ws://127.0.0.1:0"]);
    const see = ["stat", "-L", "-c", "%a %h", "/proc/self/fd/0"];
    expect(await run(["-s", plain.url, ...see], { stdin: "x" })).toMatchObject({ stdout: "600 0\n" });
    await using child = start(["-s", plain.url, "sh", "-c", "echo up; exec sleep 60"], { stdin: "x" });
    const heard = new Heard(child.stdout);
    await heard.until("up");
    child.kill("SIGTERM");
    expect(await child.exited).toBe(143);
  });
});

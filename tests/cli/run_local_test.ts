import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "@std/path";
import { ended, Heard, run, shell, start } from "./run_program.ts";

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "exec-server-run-"));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

const inDirectory = (name: string) => join(directory, name);

describe("the command's streams", () => {
  test("stay apart, and its exit status is ours", async () => {
    expect(await run(["--", "sh", "-c", "echo out; echo err >&2; exit 3"]))
      .toEqual({ status: 3, stdout: "out\n", stderr: "err\n" });
  });

  test("carry every byte of a big file both ways", async () => {
    const big = inDirectory("big");
    await Bun.write(big, crypto.getRandomValues(new Uint8Array(65_536)));
    await shell(`for i in 1 2 3 4 5 6 7 8; do cat ${big} ${big} > ${big}.2 && mv ${big}.2 ${big}; done`);
    expect(Bun.file(big).size).toBe(16 * 1024 * 1024);
    const { status, stdout } = await shell(`sha256sum < ${big}; $RUN -- cat < ${big} | sha256sum`);
    const [sent, back] = stdout.trim().split("\n");
    expect({ status, back }).toEqual({ status: 0, back: sent });
  });

  test("carry a tree through tar", async () => {
    await shell(`mkdir -p ${directory}/from ${directory}/to && echo here > ${directory}/from/file`);
    const { status } = await shell(`tar c -C ${directory}/from . | $RUN -- tar x -C ${directory}/to`);
    expect({ status, text: await Bun.file(inDirectory("to/file")).text() }).toEqual({
      status: 0,
      text: "here\n",
    });
  });

  test("keep the order of stdout and stderr where both go to one place", async () => {
    const { stdout } = await shell(`$RUN -- sh -c 'echo 1; sleep 0.05; echo 2 >&2; sleep 0.05; echo 3' 2>&1`);
    expect(stdout).toBe("1\n2\n3\n");
  });

  test("end like a local pipe when nobody reads any more", async () => {
    expect(await shell(`$RUN -- yes | head -1; echo "\${PIPESTATUS[*]}"`))
      .toEqual({ status: 0, stdout: "y\n141 0\n", stderr: "" });
  });

  test("tell when the output cannot be kept", async () => {
    const { status, stderr } = await shell(`$RUN -- yes > /dev/full`);
    expect({ status, stderr }).toEqual({
      status: 255,
      stderr: "exec-server: cannot write the output: No space left on device (os error 28)\n",
    });
  });

  test("hold a command back that prints faster than we are read", async () => {
    const count = inDirectory("count");
    const line = `i=0; while printf %65536s x; do i=$((i+1)); echo $i > ${count}; done`;
    // A second is time for hundreds of megabytes.
    const { stdout } = await shell(`$RUN -- sh -c '${line}' | { sleep 1; cat ${count}; }`);
    expect(Number(stdout)).toBeGreaterThan(0);
    expect(Number(stdout)).toBeLessThan(50);
  });
});

describe("stdin", () => {
  test("is forwarded and its end too", async () => {
    expect(await run(["cat"], { stdin: "hello" })).toEqual({ status: 0, stdout: "hello", stderr: "" });
  });

  test("is empty with -n", async () => {
    expect((await shell("yes | $RUN -n wc -c")).stdout).toBe("0\n");
  });

  test("that never ends does not keep us when the command has ended", async () => {
    // Open for writing as well, so that nobody ever ends it.
    const pipe = inDirectory("pipe");
    const { stdout } = await shell(`mkfifo ${pipe}; $RUN -- echo done 0<> ${pipe}`);
    expect(stdout).toBe("done\n");
  });

  test("gives the login shell its commands where no command is given", async () => {
    const { status, stdout } = await run([], { stdin: "echo $((6*7)); exit 4" });
    expect({ status, stdout }).toEqual({ status: 4, stdout: "42\n" });
  });
});

describe("the exit status", () => {
  test("is 128+n for a death by signal n", async () => {
    expect((await run(["sh", "-c", "kill -9 $$"])).status).toBe(137);
    expect((await run(["sh", "-c", "kill -TERM $$"])).status).toBe(143);
  });

  test("is 127 for what is not found, and says where it was looked for", async () => {
    expect(await run(["-e", "PATH=/nowhere", "cargo"])).toEqual({
      status: 127,
      stdout: "",
      stderr: 'exec-server: cannot start "cargo": not found in PATH (PATH=/nowhere)\n' +
        "Hint: pass -e PATH or use a full path\n",
    });
    expect((await run(["/nowhere/cargo"])).status).toBe(127);
  });

  test("is 126 for what cannot be executed", async () => {
    const plain = inDirectory("plain");
    await Bun.write(plain, "words");
    const { status, stderr } = await run([plain]);
    expect({ status, stderr }).toEqual({
      status: 126,
      stderr:
        `exec-server: cannot start "${plain}": found but not executable: Permission denied (os error 13)\n` +
        "Hint: see its mode there: chmod +x\n",
    });
    await shell(`printf '#!/nowhere/sh\\n' > ${plain}; chmod +x ${plain}`);
    expect((await run([plain])).status).toBe(126);
  });

  test("is 125 for a missing directory and for wrong usage", async () => {
    expect(await run(["-w", "/nowhere", "true"])).toMatchObject({
      status: 125,
      stderr:
        'exec-server: cannot start "true": cannot work in /nowhere: No such file or directory (os error 2)\n' +
        "Hint: name a directory that exists there with -w DIR\n",
    });
    expect(await run(["--bogus", "true"])).toEqual({
      status: 125,
      stdout: "",
      stderr: "exec-server: unknown option --bogus\nHint: see `exec-server help run`\n",
    });
  });

  test("is 125 for what nobody could find again right here", async () => {
    for (const flags of [["-d"], ["--name=n"]]) {
      const { status, stdout, stderr } = await run([...flags, "echo", "ran"]);
      expect({ status, stdout }).toEqual({ status: 125, stdout: "" });
      expect(stderr).toContain("nothing is kept right here");
    }
  });

  test("is 125 where the server is `none`", async () => {
    expect(await run(["echo", "ran"], { env: { CODEX_EXEC_SERVER_URL: "None" } }))
      .toMatchObject({ status: 125, stdout: "" });
  });
});

describe("where flags end", () => {
  test("is the first word that is not one", async () => {
    expect((await run(["echo", "-n", "--help", "--", "-x"])).stdout).toBe("--help -- -x");
  });

  test("is behind `--`, which only counts once", async () => {
    expect((await run(["--", "echo", "--", "-q"])).stdout).toBe("-- -q\n");
  });

  test("lets `run --help` tell of run", async () => {
    const { status, stdout } = await run(["--help"]);
    expect(status).toBe(0);
    expect(stdout).toContain("-w, -C, --workdir, --cwd DIR");
  });
});

describe("the environment", () => {
  const show = ["sh", "-c", 'echo "$A|$B|$C|$HOME"'];

  test("is ours, with -e and --env-file on top", async () => {
    const file = inDirectory("variables");
    await Bun.write(file, "# said\nA=file\n\nB=x=y z\nC\n");
    const env = { A: "ours", C: "copied", HOME: "/h", LOST: undefined };
    expect((await run(show, { env })).stdout).toBe("ours||copied|/h\n");
    expect((await run(["--env-file", file, "-eA=flag", "-e", "LOST", ...show], { env })).stdout)
      .toBe("flag|x=y z|copied|/h\n");
  });

  test("is nothing else with --clean-env", async () => {
    expect((await run(["--clean-env", "-e", "A=1", "env"])).stdout).toBe("A=1\n");
  });

  test("does not begin for a program without a name, and says what to do", async () => {
    const { status, stderr } = await run(["--", ""]);
    expect([status, stderr.split("\n")]).toEqual([
      127,
      ['exec-server: cannot start "": no name given', expect.stringMatching(/^Hint: name a program/), ""],
    ]);
  });

  test("is refused where a line of its file sets nothing", async () => {
    const file = inDirectory("wrong\x1bvariables");
    await Bun.write(file, "A=1\nbad line\n");
    const { status, stdout, stderr } = await run(["--env-file", file, "true"]);
    expect([status, stdout]).toEqual([125, ""]);
    expect(stderr).toStartWith(
      `exec-server: line 2 of ${inDirectory("wrong\\x1bvariables")} sets no variable\nHint: `,
    );
  });

  test("is refused where its file cannot be read", async () => {
    expect(await run(["--env-file", inDirectory("nowhere"), "true"])).toMatchObject({
      status: 125,
      stdout: "",
    });
  });

  test("begins in the current directory, or that of -w from there", async () => {
    await shell(`mkdir -p ${directory}/a/b`);
    expect((await run(["pwd"], { cwd: inDirectory("a") })).stdout).toBe(`${directory}/a\n`);
    expect((await run(["-C", "b", "pwd"], { cwd: inDirectory("a") })).stdout).toBe(`${directory}/a/b\n`);
  });
});

describe("a time limit", () => {
  test("ends the command with 124", async () => {
    expect(await run(["--timeout", "200ms", "sleep", "60"])).toEqual({
      status: 124,
      stdout: "",
      stderr: "exec-server: --timeout of 0.2 s reached, the command was ended\n",
    });
  });

  test("is by force where asking does not help", async () => {
    const line = 'trap "" TERM; echo up; while :; do sleep 1; done';
    const { status, stdout } = await run(["-q", "--timeout=300ms", "-k", "100ms", "sh", "-c", line]);
    expect({ status, stdout }).toEqual({ status: 124, stdout: "up\n" });
  });

  test("asks by the signal that is named", async () => {
    const line = 'trap "echo asked; exit 0" USR1; while :; do sleep 0.05; done';
    const { status, stdout } = await run(["-q", "--timeout=300ms", "--signal", "usr1", "sh", "-c", line]);
    expect({ status, stdout }).toEqual({ status: 124, stdout: "asked\n" });
  });

  test("on idleness is put off by output", async () => {
    const line = "for i in 1 2 3 4 5 6; do sleep 0.2; echo $i; done; sleep 60";
    const { status, stdout } = await run(["-q", "--idle-timeout", "800ms", "sh", "-c", line]);
    expect({ status, stdout }).toEqual({ status: 124, stdout: "1\n2\n3\n4\n5\n6\n" });
  });

  test("does not run while the output waits for its reader", async () => {
    const { stdout } = await shell(
      `$RUN --idle-timeout 300ms -- head -c 3000000 /dev/zero | { sleep 0.9; wc -c; }; echo "\${PIPESTATUS[0]}"`,
    );
    expect(stdout).toBe("3000000\n0\n");
  });
});

describe("signals", () => {
  test.each([["TERM", 7], ["INT", 7], ["HUP", 7], ["QUIT", 7], ["USR1", 7], ["USR2", 7]] as const)(
    "%s reaches the command",
    async (signal, status) => {
      const line = `trap "echo got; exit 7" ${signal}; echo up; while :; do sleep 0.05; done`;
      await using child = start(["sh", "-c", line]);
      const said = new Heard(child.stdout);
      await said.until("up");
      child.kill(`SIG${signal}`);
      expect(await child.exited).toBe(status);
      await said.until("got");
    },
  );

  test("INT ends a command that does not mind with 130", async () => {
    await using child = start(["sh", "-c", "echo up; exec sleep 60"]);
    await new Heard(child.stdout).until("up");
    child.kill("SIGINT");
    expect(await child.exited).toBe(130);
  });

  test("INT twice ends a stubborn command by force", async () => {
    await using child = start(["sh", "-c", 'trap "" INT; echo $$; while :; do sleep 0.05; done']);
    const [said, complaint] = [new Heard(child.stdout), new Heard(child.stderr)];
    await said.until("\n");
    child.kill("SIGINT");
    await Bun.sleep(50); // the system joins two that come at once
    child.kill("SIGINT");
    expect(await child.exited).toBe(130);
    await complaint.until("by force");
    await ended(Number(said.text));
  });
});

describe("what is left running", () => {
  test("does not keep us, and is killed", async () => {
    const began = performance.now();
    const { status, stdout } = await run(["sh", "-c", "sleep 60 & echo $!"]);
    expect(status).toBe(0);
    expect(performance.now() - began).toBeLessThan(10_000);
    await ended(Number(stdout));
  });

  test("does not keep us either when it prints for ever", async () => {
    const { status, stdout } = await shell(
      `$RUN -- sh -c 'echo first; yes & exit 5' | head -c 6; echo "\${PIPESTATUS[0]}"`,
    );
    expect(stdout).toMatch(/^first\n(5|141)\n$/);
    expect(status).toBe(0);
    expect((await shell("$RUN -- sh -c 'yes & exit 5' >/dev/null")).status).toBe(5);
  });

  test("is waited for with --wait-closed", async () => {
    const { status, stdout } = await run(["--wait-closed", "sh", "-c", "(sleep 0.8; echo late) & exit 6"]);
    expect({ status, stdout }).toEqual({ status: 6, stdout: "late\n" });
  });
});

describe("--json", () => {
  const eventsOf = (stdout: string) =>
    stdout.trim().split("\n").map((line) => {
      const { ms, ...event } = JSON.parse(line);
      expect(ms).toBeGreaterThanOrEqual(0);
      return event;
    });

  test("tells what happens, one event a line", async () => {
    const { status, stdout } = await run(["--json", "sh", "-c", "echo é; exit 3"]);
    expect(status).toBe(3);
    expect(eventsOf(stdout)).toEqual([
      { event: "start", id: "run", argv: ["sh", "-c", "echo é; exit 3"], on: "here" },
      { event: "stdout", text: "é\n" },
      {
        event: "exit",
        code: 3,
        outcome: { kind: "exited", code: 3 },
        usage: {
          wallMs: expect.any(Number),
          cpuMs: expect.any(Number),
          maxRssBytes: null,
          bytes: { stdout: 3 },
        },
      },
      { event: "closed" },
    ]);
  });

  test("keeps characters whole and bytes that are none as they are", async () => {
    const line = "printf 'a\\303'; sleep 0.2; printf '\\251'; sleep 0.2; printf '\\377' >&2";
    const events = eventsOf((await run(["--json", "sh", "-c", line])).stdout);
    expect(events.slice(1, 4)).toEqual([
      { event: "stdout", text: "a" },
      { event: "stdout", text: "é" },
      { event: "stderr", base64: "/w==" },
    ]);
  });

  test("tells of a limit and of an error", async () => {
    const limited = eventsOf((await run(["--json", "--timeout=200ms", "sleep", "60"])).stdout);
    expect(limited).toContainEqual({ event: "limit", limit: "timeout", limitMs: 200 });
    const failed = eventsOf((await run(["--json", "/nowhere/x"])).stdout);
    expect(failed).toEqual([{
      event: "error",
      message: 'cannot start "/nowhere/x": no such file',
      hint: "see its path there",
      status: 127,
    }]);
  });
});

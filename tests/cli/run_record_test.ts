import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, readdir, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "@std/path";
import { dataOf, parseCast } from "../support/cast_file.ts";
import { CutProxy } from "../support/cut_proxy.ts";
import { spawnServer } from "../support/target_process.ts";
import { ended, ROOT, run } from "./run_program.ts";
import { Person } from "./run_terminal.ts";

const SERVE = [process.execPath, "--no-env-file", join(ROOT, "main.ts"), "serve"];

let directory: string;
let recordings = 0;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "exec-server-record-"));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

const newPath = () => join(directory, `${++recordings}.cast`);
const castIn = async (path: string) => parseCast(await Bun.file(path).text());

describe("a recording", () => {
  test("holds what the terminal was given, its sizes and the exit, and neither words nor passwords", async () => {
    const path = newPath();
    await using person = new Person(
      `SHELL=/bin/of-mine $RUN -t --record ${path} -e HIDDEN=variable -- bash -c '
        : hidden words; stty -echo; printf "\\033[1mgrüße\\033[0m\\n"; read; echo thanks
        trap "stty size; [[ \\$(stty size) != \\"41 123\\" ]] || exit 7" WINCH; echo up
        for ((;;)) { sleep 0.05; }'; echo status $?`,
      { rows: 33, cols: 99 },
    );
    await person.sees("grüße");
    person.types("password\r");
    await person.sees("up");
    person.resizes(41, 123);
    await person.sees("status 7\r\n");
    const { header, events, output } = await castIn(path);
    expect(`${output}status 7\r\n`).toBe(person.seen);
    expect(header).toEqual({
      version: 3,
      term: { cols: 99, rows: 33, type: "xterm" },
      timestamp: expect.any(Number),
      env: { SHELL: "/bin/of-mine" },
    });
    expect(Math.abs(Number(header["timestamp"]) - Date.now() / 1000)).toBeLessThan(120);
    expect(dataOf(events, "r")).toEqual(["123x41"]);
    const resized = events.findIndex(([, code]) => code === "r");
    expect(dataOf(events.slice(0, resized), "o").join("")).toEndWith("up\r\n");
    expect(events.at(-1)!.slice(1)).toEqual(["x", "7"]);
    expect(await Bun.file(path).text()).not.toMatch(/hidden|HIDDEN|password/);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test("is made of a terminal that nobody sees, and joins what comes in pieces", async () => {
    const path = newPath();
    const piece = String.raw`printf "\342\202"; sleep 0.1; printf "\254\n"; exit 3`;
    const { status, stdout } = await run(["-t", "--record", path, "sh", "-c", piece]);
    const { header, events, output } = await castIn(path);
    expect({ status, stdout }).toEqual({ status: 3, stdout: "€\r\n" });
    expect(output).toBe(stdout);
    expect(header["term"]).toMatchObject({ cols: 80, rows: 24 });
    expect(dataOf(events, "x")).toEqual(["3"]);
  });

  test("loses nothing of a long output, also beside --json", async () => {
    const path = newPath();
    const { status, stdout } = await run(["-t", "--json", "--record", path, "seq", "200000"]);
    expect(status).toBe(0);
    const told = stdout.trimEnd().split("\n").map((line) => JSON.parse(line) as { text?: string });
    const { output } = await castIn(path);
    expect(output).toBe(told.map(({ text }) => text ?? "").join(""));
    expect(output).toEndWith("\r\n199999\r\n200000\r\n");
  });

  test("goes on where the connection did, and marks where it was lost", async () => {
    const path = newPath();
    await using server = await spawnServer(SERVE, { PATH: process.env["PATH"] ?? "" });
    await using proxy = await CutProxy.to(server.url);
    await using person = new Person(
      `$RUN -s ${proxy.url} -t --record ${path} -- sh -c 'stty -echo; echo one; read x; echo two; exit 4'; echo status $?`,
    );
    await person.sees("one\r\n");
    proxy.cut();
    await person.sees("connected again");
    person.types("\r");
    await person.sees("status 4");
    const { header, events } = await castIn(path);
    expect(events.map(([, code, data]) => code === "o" ? data : `${code}:${data};`).join("")).toBe(
      "one\r\nm:connection lost;m:connected again;two\r\nx:4;",
    );
    expect(header).not.toHaveProperty("env");
  });

  test("has no exit where the user left before it", async () => {
    const path = newPath();
    await using person = new Person(`$RUN -t --record ${path} -- sh -c 'echo up; exec cat'; echo status $?`);
    await person.sees("up\r\n");
    person.types("\r~.");
    await person.sees("status 255");
    const { events, output } = await castIn(path);
    expect(output).toStartWith("up\r\n");
    expect(dataOf(events, "x")).toEqual([]);
  });

  test("is whole so far when we are killed", async () => {
    const [path, mark] = [newPath(), join(directory, "pid")];
    await using person = new Person(
      `$RUN -t --record ${path} -- bash -c 'echo $PPID > ${mark}; echo up; read'; echo status $?`,
    );
    await person.sees("up\r\n");
    const pid = Number(await Bun.file(mark).text());
    process.kill(pid, "SIGKILL");
    await ended(pid);
    const { events, output } = await castIn(path);
    expect(output).toBe("up\r\n");
    expect(dataOf(events, "x")).toEqual([]);
  });

  test("that finds no room ends with a whole line and one notice, and the command runs on", async () => {
    const path = newPath();
    // The limit stands for a full disk: it takes a part of a write, and then nothing.
    await using person = new Person(
      `ulimit -f 2; $RUN -q -t --record ${path} -- bash -c '
        stty -echo; echo begin; for i in {1..6}; do read; printf "%01000d\\n" $i; done; exit 6'; echo status $?`,
    );
    await person.sees("begin");
    for (let line = 1; line <= 6; line++) {
      person.types("\r");
      await person.sees(`000${line}\r\n`);
    }
    await person.sees("status 6");
    expect(person.seen.split("exec-server: ")).toHaveLength(2);
    expect(person.seen).toContain(`the recording in ${path} is not complete: File too large`);
    const { events, output } = await castIn(path);
    expect(output).toStartWith("begin\r\n");
    expect((await stat(path)).size).toBeLessThanOrEqual(2048);
    expect(dataOf(events, "x")).toEqual([]);
  });
});

describe("no recording is made", () => {
  const refused = async (args: readonly string[], status: number, words: string) => {
    const before = await readdir(directory);
    const result = await run(args);
    expect(result).toMatchObject({ status, stdout: "" });
    expect(result.stderr).toContain(words);
    expect(await readdir(directory)).toEqual(before);
  };

  test("of pipes, and then the command does not run", async () => {
    await refused(["--record", newPath(), "echo", "ran"], 125, "--record needs a terminal: pass -t");
    await refused(["-t", "--record=", "echo", "ran"], 125, "option --record needs a file");
  });

  test("in a file that is there or behind a link, and then the command does not run", async () => {
    const [there, link] = [newPath(), newPath()];
    await Bun.write(there, "kept");
    await symlink(join(directory, "nowhere"), link);
    for (const path of [there, link]) {
      await refused(["-t", "--record", path, "echo", "ran"], 125, "it already exists");
    }
    expect(await Bun.file(there).text()).toBe("kept");
    await refused(["-t", "--record", `${there}/x`, "echo", "ran"], 125, "Not a directory");
  });

  test("of a command that cannot be started", async () => {
    await refused(["-t", "--record", newPath(), "no-such-program-anywhere"], 127, "not found");
  });
});

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "@std/path";
import { Person } from "./run_terminal.ts";

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "exec-server-terminal-"));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

const isThere = (program: string) => Bun.which(program) !== null;

describe("a command on a terminal", () => {
  test("has one, of our size and kind", async () => {
    await using person = new Person("$RUN -t -- sh -c 'tty; stty size; echo $TERM'; echo status $?", {
      rows: 33,
      cols: 99,
    });
    await person.sees("status 0");
    expect(person.seen).toMatch(/^\/dev\/\S+\r\n33 99\r\nxterm\r\n/);
  });

  test("has none unless asked, where a command is given", async () => {
    await using person = new Person("$RUN -- tty; echo status $?");
    await person.sees("status 1");
    expect(person.seen).toContain("not a tty");
  });

  test("learns of a new size", async () => {
    await using person = new Person(
      `$RUN -t -- bash -c 'trap "stty size" WINCH; echo up; for ((;;)) { sleep 0.05; }'`,
    );
    await person.sees("up");
    person.resizes(41, 123);
    await person.sees("41 123");
  });

  test("gets every byte as it is", async () => {
    // Bare newlines stay bare: a full-screen program goes straight down with them.
    await using person = new Person(
      `$RUN -t -- sh -c 'stty -opost; printf "a\\nb\\nc"'; echo; echo status $?`,
    );
    await person.sees("status 0");
    expect(person.seen).toStartWith("a\nb\nc");
  });

  test("is the login shell where none is given", async () => {
    await using person = new Person("SHELL=/bin/bash $RUN; echo status $?");
    person.types("echo in $((40+2)); exit 4\r");
    await person.sees("status 4");
    expect(person.seen).toContain("in 42");
  });
});

describe("keys", () => {
  test("Ctrl-C interrupts the command, not us", async () => {
    await using person = new Person(
      `$RUN -t -- sh -c 'trap "echo caught; exit 9" INT; echo up; read x'; echo status $?`,
    );
    await person.sees("up");
    person.types("\x03");
    await person.sees("status 9");
    expect(person.seen).toContain("caught");
  });

  test("Ctrl-D ends its input", async () => {
    await using person = new Person("$RUN -t -- cat; echo status $?");
    person.types("line\r");
    await person.sees(/line\r\nline\r\n/);
    person.types("\x04");
    await person.sees("status 0");
  });

  test("Ctrl-Z stops a job of its shell, which goes on in the foreground", async () => {
    await using person = new Person("$RUN -t -e 'PS1=$ ' -- bash --norc; echo status $?");
    await person.sees("$ ");
    person.types("sh -c 'echo up; exec cat'\r");
    await person.sees("\rup\r\n");
    person.types("\x1a");
    // Before its prompt is drawn, the shell drops what is typed.
    await person.sees(/Stopped.*\$ $/s);
    person.types("fg; echo back\r");
    await person.sees(/fg; echo back\r\n.*sh -c/s);
    person.types("two\r");
    await person.sees(/two\r\ntwo\r\n/);
    person.types("\x04");
    await person.sees(/\nback\r\n.*\$ $/s);
    person.types("exit 3\r");
    await person.sees("status 3");
  });

  test("~? helps, ~~ is a ~, and ~. leaves", async () => {
    await using person = new Person("$RUN -t -- cat; echo status $?");
    person.types("~~a\r");
    await person.sees(/~a\r\n~a\r\n/);
    person.types("~?");
    await person.sees("~. leaves the command");
    person.types("~.");
    await person.sees("status 255");
    expect(person.seen).toContain("left; the command ran here and is killed");
  });

  test("are all the command's with --escape-char none", async () => {
    await using person = new Person("$RUN -t --escape-char none -- cat; echo status $?");
    person.types("~.\r");
    await person.sees(/~\.\r\n~\.\r\n/);
    person.types("\x04");
    await person.sees("status 0");
  });
});

describe("the user's terminal is as before", () => {
  /** What runs between two looks at all the terminal's settings; they must not differ. */
  const between = (line: string) =>
    `before=$(stty -g; stty -a); ${line}; status=$?; after=$(stty -g; stty -a)
    [ "$before" = "$after" ] && echo "same, status $status" || echo "differs: $before / $after"`;

  test("after a normal end", async () => {
    await using person = new Person(between("$RUN -t -- sh -c 'stty raw -echo; exit 3'"));
    await person.sees("same, status 3");
  });

  test("after the command was killed", async () => {
    await using person = new Person(between("$RUN -t -- sh -c 'kill -9 $$'"));
    await person.sees("same, status 137");
  });

  test.each([["TERM", 143], ["HUP", 129]] as const)("after %s", async (signal, status) => {
    const mark = join(directory, signal);
    await using person = new Person(
      between(`$RUN -t -- bash --norc -c 'echo $PPID > ${mark}; echo up; read x'`),
    );
    await person.sees("up");
    process.kill(Number(await Bun.file(mark).text()), `SIG${signal}`);
    await person.sees(`same, status ${status}`);
  });

  test("after leaving", async () => {
    await using person = new Person(between("$RUN -t -- sh -c 'echo up; read x'"));
    await person.sees("up");
    person.types("\r~.");
    await person.sees(/same, status (0|1|255)/);
  });

  test("after nobody reads the output any more", async () => {
    await using person = new Person(between("$RUN -t -- yes | head -1; (exit ${PIPESTATUS[0]})"));
    await person.sees("same, status 141");
  });

  test("while it is the command's, it is raw", async () => {
    const mark = join(directory, "raw");
    await using person = new Person(`tty > ${mark}; $RUN -t -- sh -c 'echo up; read x'`);
    await person.sees("up");
    const tty = (await Bun.file(mark).text()).trim();
    const settings = await new Response(Bun.spawn(["stty", "-a", "-F", tty]).stdout).text();
    expect(settings).toContain("-icanon");
    expect(settings).toContain("-opost");
    person.types("\r");
    await person.end;
  });
});

describe("full-screen programs", () => {
  test.skipIf(!isThere("vi"))("vi edits a file", async () => {
    const file = join(directory, "edited");
    await using person = new Person(`$RUN -t -- vi -u NONE -N ${file}; echo status $?`);
    await person.sees("~");
    person.types("iwritten in vi\x1b:wq\r");
    await person.sees("status 0");
    expect(await Bun.file(file).text()).toBe("written in vi\n");
  });

  test.skipIf(!isThere("less"))("less pages through a file, and follows the window", async () => {
    const file = join(directory, "long");
    await Bun.write(file, Array.from({ length: 200 }, (_, line) => `line ${line + 1};`).join("\n"));
    await using person = new Person(`$RUN -t -- less ${file}; echo status $?`, { rows: 10, cols: 40 });
    await person.sees("line 9;");
    expect(person.seen).not.toContain("line 10;");
    person.resizes(20, 40);
    person.types("r"); // now and then less hears of the window only with the next key
    await person.sees("line 19;");
    person.types("G");
    await person.sees("line 200;");
    person.types("q");
    await person.sees("status 0");
  });

  test.skipIf(!isThere("top"))("top draws and quits", async () => {
    await using person = new Person("$RUN -t -- top -d 1; echo status $?");
    await person.sees("PID");
    person.types("q");
    await person.sees("status 0");
  });
});

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "@std/path";
import { type ServerProcess, spawnServer } from "../support/target_process.ts";
import { Heard } from "./run_program.ts";
import { directory, PROGRAM, serveCodex, shell } from "./file_words.ts";

// What `fs` says no to, before anything is touched, and what it says then.

let ours: ServerProcess;
let codex: ServerProcess | null;
/** Where the server has its user's home, and below it where it stands. */
let home: string;
/** Holds the home, so that no test could remove more than that, whatever is broken. */
let above: ReturnType<typeof directory>;

beforeAll(async () => {
  above = directory();
  home = join(above.path, "home");
  mkdirSync(join(home, "work"), { recursive: true });
  [ours, codex] = await Promise.all([
    spawnServer(["env", "-C", join(home, "work"), ...PROGRAM, "serve"], {
      PATH: process.env["PATH"] ?? "",
      HOME: home,
    }),
    serveCodex(),
  ]);
});

afterAll(async () => {
  await ours[Symbol.asyncDispose]();
  await codex?.[Symbol.asyncDispose]();
  above[Symbol.dispose]();
});

const PLACES = ["this machine", "our server", "the real server"] as const;

describe.each(PLACES)("fs on %s", (place) => {
  const there = (name: string, body: (url: string | null) => Promise<void>) =>
    test(name, async () => {
      const url = place === "this machine" ? null : place === "our server" ? ours.url : codex?.url;
      if (url !== undefined) await body(url);
    });

  there("refuses an empty path: where it stands would be meant", async (url) => {
    using dir = directory();
    await Bun.write(join(dir.path, "f"), "");
    const lines = [
      // The real server stands where the tests do: what is broken here must not remove that.
      ...(place === "the real server" ? ["rm ''"] : ["rm -rf ''", "rm -rf f ''"]),
      "ls ''",
      "walk ''",
      "stat ''",
      "cat ''",
      "mkdir -p ''",
      "mv '' x",
    ];
    for (const line of [...lines, "mv f ''"]) {
      expect({ line, ...await shell(`$X fs ${line}`, { url, cwd: dir.path }) }).toEqual({
        ...{ line, status: 2, stdout: "" },
        stderr:
          "exec-server: a path is empty\nHint: a variable in its place may be empty; `.` is the directory itself\n",
      });
    }
    expect(dir.names()).toEqual(["f"]);
  });

  there("has a hint for who named the wrong thing", async (url) => {
    using dir = directory();
    await shell("mkdir -p d/sub/f t; echo x > d/f; echo x > f", { cwd: dir.path });
    const said = async (line: string) => {
      const { status, stdout, stderr } = await shell(`$X fs ${line}`, { url, cwd: dir.path });
      expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
      return stderr.replace("exec-server: ", "").replaceAll(dir.path, "~");
    };
    expect(await said(`cat "$PWD/d"`)).toBe(
      "cannot cat ~/d: it is a directory\nHint: see what is in it: `exec-server fs ls PATH`\n",
    );
    expect(await said(`mkdir "$PWD/d"`)).toBe(
      "cannot mkdir ~/d: File exists (os error 17)\nHint: with -p a directory that is there is fine\n",
    );
    expect(await said(`mkdir "$PWD/x/y"`)).toMatch(/Hint: with -p the directories above it are made too\n$/);
    expect(await said(`walk "$PWD/f"`)).toBe(
      "cannot walk ~/f: it is not a directory\nHint: see what is known of it: `exec-server fs stat PATH`\n",
    );
    expect(await said("rm /")).toBe(
      "cannot rm /: that is never what is wanted\nHint: name what is in it that is to go\n",
    );
    if (url === null) {
      const cat = await shell("$X fs cat /dev/null && $X fs cat <(echo pipe)", { cwd: dir.path });
      expect(cat).toEqual({ status: 0, stdout: "pipe\n", stderr: "" });
    } else {
      expect(await said("cat /dev/null")).toBe(
        "cannot cat /dev/null: it is neither a file nor a directory\n" +
          "Hint: let a command read it there: `exec-server run -- cat PATH`\n",
      );
    }
    if (place === "the real server") return; // which cannot rename
    expect(await said(`mv "$PWD/d" "$PWD/d/z"`)).toMatch(/\nHint: a directory cannot be moved into itself/);
    expect(await said(`mv "$PWD/d/." "$PWD/t"`)).toMatch(/\nHint: a directory cannot be moved into itself/);
    expect(await said(`mv "$PWD/f" "$PWD/d/sub"`)).toMatch(
      /\nHint: a directory of that name is there already/,
    );
    expect(await shell(`$X fs mv "$PWD/f" "$PWD/t" && ls t`, { url, cwd: dir.path })).toEqual({
      status: 0,
      stdout: "f\n",
      stderr: "",
    });
  });
});

/** Runs it with a home and a working directory that may be lost. */
async function refused(line: string, url: string | null, cwd: string): Promise<void> {
  const { status, stderr } = await shell(`HOME=${home} $X fs rm -rf ${line}`, { url, cwd });
  expect({ line, status, stderr: stderr.replace(/ rm .*?: /, " rm …: ") }).toEqual({
    line,
    status: 1,
    stderr:
      "exec-server: cannot rm …: that is never what is wanted\nHint: name what is in it that is to go\n",
  });
}

test.each(["this machine", "our server"])(
  "fs rm takes no home, no place to stand, and nothing above (%s)",
  async (at) => {
    const url = at === "our server" ? ours.url : null;
    const [work, link] = [join(home, "work"), join(home, "link")];
    await Bun.write(join(work, "kept"), "");
    symlinkSync("work", link);
    for (const word of ["'~'", "'~/'", "'~/.'", "'~/work'", "'~/work/..'", ".", "..", "./"]) {
      await refused(word, url, work);
    }
    for (const path of [home, `${home}/`, work, `${work}/`, join(home, "..")]) {
      await refused(path, url, work);
    }
    expect(existsSync(join(work, "kept"))).toBe(true);
    // What only leads there may go, and what is below.
    mkdirSync(join(work, "below"));
    const fine = await shell(`HOME=${home} $X fs rm -rf ${link} ${work}/below`, { url, cwd: work });
    expect(fine).toEqual({ status: 0, stdout: "", stderr: "" });
    expect([existsSync(link), existsSync(join(work, "below")), existsSync(join(work, "kept"))]).toEqual(
      [false, false, true],
    );
  },
);

test("fs rm at the real server does not take its user's home", async () => {
  if (codex === null) return;
  const { status, stderr } = await shell("$X fs rm -rf '~'", { url: codex.url });
  expect(status).toBe(1);
  expect(stderr).toMatch(
    /^exec-server: cannot rm ~: that is never what is wanted\nHint: |does not tell where/,
  );
});

test("fs refuses options that its word has no use for", async () => {
  using dir = directory();
  await Bun.write(join(dir.path, "f"), "x");
  const lines = [
    "cat -p f",
    "-r cat f",
    "cat --json f",
    "ls -r",
    "stat -0 f",
    "mkdir -f d",
    "rm -p f",
    "mv -f f g",
  ];
  for (const line of [...lines, "walk -p"]) {
    const { status, stdout, stderr } = await shell(`$X fs ${line}`, { cwd: dir.path });
    expect({ line, status, stdout }).toEqual({ line, status: 2, stdout: "" });
    expect(stderr).toMatch(/^exec-server: fs \w+ has no option --\w+\nHint: see `exec-server help fs`\n$/);
  }
  expect(dir.names()).toEqual(["f"]);
});

test("fs walk spells names for a terminal, and gives them as they are to a pipe", async () => {
  using dir = directory();
  await Bun.write(join(dir.path, "\x1b]0;owned\x07\n"), "");
  await Bun.write(join(dir.path, "last"), "");
  expect((await shell("$X fs walk -0", { cwd: dir.path })).stdout).toBe("./\x1b]0;owned\x07\n\0./last\0");
  const seen = new Heard();
  await using child = Bun.spawn([...PROGRAM, "fs", "--host", "local", "walk"], {
    cwd: dir.path,
    terminal: { rows: 24, cols: 80, data: (_, bytes) => seen.add(bytes) },
  });
  await seen.until(/^\.\/\\x1b\]0;owned\\x07\\n\r\n\.\/last\r\n/);
  expect(await child.exited).toBe(0);
  child.terminal?.close();
});

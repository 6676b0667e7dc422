import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, symlinkSync, utimesSync } from "node:fs";
import { join } from "@std/path";
import type { ServerProcess } from "../support/target_process.ts";
import { directory, serve, serveCodex, shell } from "./file_words.ts";

let ours: ServerProcess;
let codex: ServerProcess | null;

beforeAll(async () => {
  [ours, codex] = await Promise.all([serve(), serveCodex()]);
});

afterAll(async () => {
  await ours[Symbol.asyncDispose]();
  await codex?.[Symbol.asyncDispose]();
});

const PLACES = ["this machine", "our server", "the real server"] as const;

describe.each(PLACES)("fs on %s", (place) => {
  const there = (name: string, body: (url: string | null) => Promise<void>) =>
    test(name, async () => {
      const url = place === "this machine" ? null : place === "our server" ? ours.url : codex?.url;
      if (url !== undefined) await body(url);
    });
  /** It tells modes, links and more, and can rename. */
  const isOurs = place !== "the real server";

  there("lists as ls -l does, and as JSON", async (url) => {
    using dir = directory();
    await Bun.write(join(dir.path, "a\nb"), "123");
    mkdirSync(join(dir.path, "sub"));
    symlinkSync("a\nb", join(dir.path, "link"));
    chmodSync(join(dir.path, "a\nb"), 0o640);
    utimesSync(join(dir.path, "a\nb"), 1_500_000_000, 1_500_000_000);
    const { stdout, status } = await shell(`TZ=UTC $X fs ls "$PWD"`, { url, cwd: dir.path });
    const lines = stdout.trimEnd().split("\n");
    expect({ status, lines: lines.length }).toEqual({ status: 0, lines: 3 });
    expect(lines[0]).toMatch(
      isOurs ? /^-rw-r----- +3 {2}2017-07-14 02:40 {2}a\\nb$/ : /^- +3 {2}2017-07-14 02:40 {2}a\\nb$/,
    );
    expect(lines[1]).toMatch(isOurs ? /^l.* link -> a\\nb$/ : /^l.* link$/);
    expect(lines[2]).toMatch(/^d.* sub$/);
    const json = await shell(`$X fs ls --json "$PWD"`, { url, cwd: dir.path });
    const objects = json.stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
    expect(objects.map(({ name, kind, isLink }) => [name, kind, isLink])).toEqual([
      ["a\nb", "file", false],
      ["link", "file", true],
      ["sub", "directory", false],
    ]);
    expect(objects[0]).toMatchObject({
      size: 3,
      modifiedAtMs: 1_500_000_000_000,
      ...(isOurs ? { mode: "0640", links: 1 } : {}),
    });
    expect(objects[1].linkTarget).toBe(isOurs ? "a\nb" : undefined);
  });

  there("cats bytes as they are, and ends like cat when nobody reads any more", async (url) => {
    using dir = directory();
    await Bun.write(join(dir.path, "big"), crypto.getRandomValues(new Uint8Array(65_536)));
    const line =
      `for i in 1 2 3 4 5 6; do cat big big > t && mv t big; done; $X fs cat "$PWD/big" "$PWD/big" | cmp - <(cat big big) && echo same
      $X fs cat "$PWD/big" | head -c 1 > /dev/null; echo \${PIPESTATUS[0]}`;
    expect(await shell(line, { url, cwd: dir.path })).toEqual({
      status: 0,
      stdout: "same\n141\n",
      stderr: "",
    });
  });

  there("makes and removes", async (url) => {
    using dir = directory();
    const run = async (line: string) => {
      const { status, stderr } = await shell(`$X fs ${line}`, { url, cwd: dir.path });
      return `${status} ${stderr.split("\n")[0]!.replaceAll(dir.path, "~")}`;
    };
    expect(await run(`mkdir "$PWD/a/b"`)).toBe(
      "1 exec-server: cannot mkdir ~/a/b: No such file or directory (os error 2)",
    );
    expect(await run(`mkdir -p "$PWD/a/b"`)).toBe("0 ");
    expect(await run(`mkdir "$PWD/a"`)).toBe("1 exec-server: cannot mkdir ~/a: File exists (os error 17)");
    expect(await run(`-p mkdir "$PWD/a"`)).toBe("0 ");
    expect(await run(`rm "$PWD/a"`)).toBe("1 exec-server: cannot rm ~/a: it is a directory");
    expect(await run(`rm "$PWD/none"`)).toBe(
      "1 exec-server: cannot rm ~/none: No such file or directory (os error 2)",
    );
    expect(await run(`rm -f "$PWD/none"`)).toBe("0 ");
    symlinkSync("a", join(dir.path, "link"));
    expect(await run(`rm "$PWD/link"`)).toBe("0 ");
    expect(existsSync(join(dir.path, "a/b"))).toBe(true);
    expect(await run(`rm -rf "$PWD/a/."`)).toBe(
      "1 exec-server: cannot rm ~/a/.: that is never what is wanted",
    );
    expect(await run(`rm -rf "$PWD/a" "$PWD/none"`)).toBe("0 ");
    expect(dir.names()).toEqual([]);
  });

  there("goes on with the other paths when one fails", async (url) => {
    using dir = directory();
    await Bun.write(join(dir.path, "a"), "A");
    const { status, stdout, stderr } = await shell(`$X fs cat "$PWD/none" "$PWD/a"`, { url, cwd: dir.path });
    expect({ status, stdout }).toEqual({ status: 1, stdout: "A" });
    expect(stderr).toStartWith(
      `exec-server: cannot cat ${dir.path}/none: No such file or directory (os error 2)\nHint: `,
    );
  });

  there("tells what is known of a path", async (url) => {
    using dir = directory();
    await Bun.write(join(dir.path, "f"), "123");
    const { stdout } = await shell(`$X fs stat "$PWD/f"`, { url, cwd: dir.path });
    expect(stdout).toMatch(
      isOurs
        ? /^path +\/.*\/f\nkind +file\nsize +3\nmodified +.*\naccessed +.*\n(created +.*\n)?mode +0644 rw-r--r--\nlinks +1\n$/
        : /^path +\/.*\/f\nkind +file\nsize +3\nmodified +.*\n(created +.*\n)?mode +not told\n$/,
    );
    const json = await shell(`$X fs stat --json "$PWD/f"`, { url, cwd: dir.path });
    expect(JSON.parse(json.stdout)).toMatchObject({
      path: join(dir.path, "f"),
      kind: "file",
      isLink: false,
      size: 3,
      ...(isOurs ? { accessedAtMs: expect.any(Number) } : {}),
    });
  });

  there("tells of links, also of those that lead nowhere or have odd texts", async (url) => {
    using dir = directory();
    await shell(`echo 123 > f; ln -s f good; ln -s nowhere bad; ln -s $'\\xff' odd`, { cwd: dir.path });
    const told = async (name: string) =>
      JSON.parse((await shell(`$X fs stat --json "$PWD/${name}"`, { url, cwd: dir.path })).stdout);
    expect(await told("good")).toMatchObject({ kind: "file", isLink: true, size: 4 });
    expect(await told("bad")).toMatchObject({ kind: "link", isLink: true });
    expect((await told("good")).linkTarget).toBe(isOurs ? "f" : undefined);
    expect((await told("bad")).linkTarget).toBe(isOurs ? "nowhere" : undefined);
    expect((await told("odd")).linkTargetBase64).toBe(isOurs ? "/w==" : undefined);
    const { stdout } = await shell(`$X fs stat "$PWD/good"`, { url, cwd: dir.path });
    expect(stdout).toMatch(isOurs ? /\nkind +link to a file\ntarget +f\n/ : /\nkind +link to a file\nsize/);
  });

  there("walks", async (url) => {
    using dir = directory();
    mkdirSync(join(dir.path, "t/b/c"), { recursive: true });
    await Bun.write(join(dir.path, "t/b/f"), "");
    await Bun.write(join(dir.path, "t/a"), "");
    const top = join(dir.path, "t");
    const { stdout } = await shell(`$X fs walk "$PWD/t"; $X fs walk -0 "$PWD/t" | tr '\\0' ,`, {
      url,
      cwd: dir.path,
    });
    const paths = [`${top}/a`, `${top}/b`, `${top}/b/c`, `${top}/b/f`];
    expect(stdout).toBe(`${paths.join("\n")}\n${paths.join(",")},`);
  });

  there("walks past links without following them, and names them where it is told of them", async (url) => {
    using dir = directory();
    await shell("mkdir -p t/b; ln -s nowhere t/bad; ln -s . t/b/loop; mkfifo t/pipe; echo > t/$'\\xff'", {
      cwd: dir.path,
    });
    const { stdout } = await shell(`$X fs walk --json "$PWD/t"`, { url, cwd: dir.path });
    const found = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
    const named = found.map(({ kind, path, pathBase64 }) =>
      `${kind} ${path?.slice(dir.path.length) ?? pathBase64}`
    );
    const odd = Buffer.concat([Buffer.from(`${dir.path}/t/`), Buffer.from([0xff])]).toString("base64");
    expect(named).toEqual(
      isOurs
        ? ["directory /t/b", "link /t/bad", "other /t/pipe", `file ${odd}`, "link /t/b/loop"]
        : ["directory /t/b"],
    );
  });

  there(isOurs ? "renames" : "refuses to rename, with the reason and what to do", async (url) => {
    using dir = directory();
    await Bun.write(join(dir.path, "a"), "A");
    const { status, stderr } = await shell(`$X fs mv "$PWD/a" "$PWD/b"`, { url, cwd: dir.path });
    expect(dir.names()).toEqual([isOurs ? "b" : "a"]);
    expect(status).toBe(isOurs ? 0 : 1);
    if (!isOurs) {
      expect(stderr).toMatch(/has no word for renaming\nHint: .*exec-server run -- mv FROM TO/);
      return;
    }
    const line = `mkdir sub tree; ln -s nowhere link; echo old > sub/b;
      $X fs mv "$PWD/b" "$PWD/sub" && $X fs mv "$PWD/link" "$PWD/sub/" && $X fs mv "$PWD/tree" "$PWD/"$'\\xff' &&
      cat sub/b && readlink sub/link && rmdir $'\\xff'; $X fs mv "$PWD/none" "$PWD/x"; echo $?`;
    const more = await shell(line, { url, cwd: dir.path });
    expect(more.stdout).toBe("Anowhere\n1\n");
    expect(more.stderr).toStartWith(
      `exec-server: cannot mv ${dir.path}/none to ${dir.path}/x: No such file or directory (os error 2)\n`,
    );
  });
});

describe("fs", () => {
  test("begins where commands begin", async () => {
    using dir = directory();
    await Bun.write(join(dir.path, "only"), "");
    expect((await shell("$X fs ls | wc -l; $X fs walk", { cwd: dir.path })).stdout).toBe("1\n./only\n");
  });

  test("refuses what makes no sense as wrong usage", async () => {
    for (
      const line of [
        "$X fs",
        "$X fs nonsense",
        "$X fs cat",
        "$X fs toString x",
        "$X fs mv a",
        "$X fs ls --what",
      ]
    ) {
      expect({ line, status: (await shell(line)).status }).toEqual({ line, status: 2 });
    }
  });

  test("ends with 255 when the server cannot be reached", async () => {
    const { status, stderr } = await shell("$X fs ls -s ws://127.0.0.1:1");
    expect(status).toBe(255);
    expect(stderr).toMatch(/^exec-server: cannot reach ws:\/\/127\.0\.0\.1:1.*\nHint: .*\n$/);
  });
});

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
  const isHere = place === "this machine";

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
      isHere ? /^-rw-r----- +3 {2}2017-07-14 02:40 {2}a\\nb$/ : /^- +3 {2}2017-07-14 02:40 {2}a\\nb$/,
    );
    expect(lines[1]).toMatch(/^l.* link$/);
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
      ...(isHere ? { mode: "0640" } : {}),
    });
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
    expect(stdout).toMatch(/^path +\/.*\/f\nkind +file\nsize +3\nmodified +.*\nmode +.*\n$/);
    const json = await shell(`$X fs stat --json "$PWD/f"`, { url, cwd: dir.path });
    expect(JSON.parse(json.stdout)).toMatchObject({
      path: join(dir.path, "f"),
      kind: "file",
      isLink: false,
      size: 3,
    });
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

  there(isHere ? "renames" : "refuses to rename, with the reason and what to do", async (url) => {
    using dir = directory();
    await Bun.write(join(dir.path, "a"), "A");
    const { status, stderr } = await shell(`$X fs mv "$PWD/a" "$PWD/b"`, { url, cwd: dir.path });
    expect(dir.names()).toEqual([isHere ? "b" : "a"]);
    expect(status).toBe(isHere ? 0 : 1);
    if (!isHere) expect(stderr).toMatch(/has no word for renaming\nHint: .*exec-server run -- mv FROM TO/);
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

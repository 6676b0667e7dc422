import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
} from "node:fs";
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
type Place = typeof PLACES[number];

/** null: this machine. undefined: there is none here. */
function urlOf(place: Place): string | null | undefined {
  return place === "this machine" ? null : place === "our server" ? ours.url : codex?.url;
}

const BIG = crypto.getRandomValues(new Uint8Array(65_536));
const bigBytes = (pieces: number) => Buffer.concat(Array.from({ length: pieces }, () => BIG));

describe.each(PLACES)("cp to and from %s", (place) => {
  /** A test that is empty where there is no such place; `totals.ts` counts what the real server has seen. */
  const there = (name: string, body: (url: string | null) => Promise<void>) =>
    test(name, async () => {
      const url = urlOf(place);
      if (url !== undefined) await body(url);
    });

  there("carries a file there and back, byte for byte, its time and mode kept", async (url) => {
    using dir = directory();
    const bytes = bigBytes(50); // 3.1 MiB: several blocks, the last one short
    await Bun.write(join(dir.path, "big"), bytes);
    utimesSync(join(dir.path, "big"), 1_500_000_000, 1_500_000_000);
    chmodSync(join(dir.path, "big"), 0o705);
    const line = `$X cp -q big :"$PWD/up" && $X cp :"$PWD/big" down`;
    expect(await shell(line, { url, cwd: dir.path })).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(dir.names()).toEqual(["big", "down", "up"]);
    expect(bytes.equals(await Bun.file(join(dir.path, "up")).bytes())).toBe(true);
    expect(bytes.equals(await Bun.file(join(dir.path, "down")).bytes())).toBe(true);
    expect(statSync(join(dir.path, "down")).mtimeMs).toBe(1_500_000_000_000);
    if (place === "the real server") return; // which tells and takes neither
    for (const name of ["up", "down"]) {
      const { mode, mtimeMs } = statSync(join(dir.path, name));
      expect([mode & 0o777, mtimeMs]).toEqual([0o705, 1_500_000_000_000]);
    }
  });

  there("leaves holes where there are holes", async (url) => {
    using dir = directory();
    const line = `truncate -s 64M middle; echo end >> middle; echo start > tail; truncate -s 64M tail
      for f in middle tail; do
        $X cp $f :"$PWD/up.$f" && $X cp :"$PWD/$f" down.$f && cmp $f up.$f && cmp $f down.$f || exit 1
      done; du -k down.* up.* | cut -f1`;
    const { status, stdout, stderr } = await shell(line, { url, cwd: dir.path });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const sizes = stdout.trimEnd().split("\n").map(Number);
    expect(sizes).toHaveLength(4);
    // The real server's last step copies what has arrived, and what it leaves of holes is its own choice.
    const near = place === "the real server" ? sizes.slice(0, 2) : sizes;
    expect(near.every((kilobytes) => kilobytes < 4096)).toBe(true);
  });

  there("puts several files into a directory, and needs one", async (url) => {
    using dir = directory();
    await Bun.write(join(dir.path, "a"), "A");
    await Bun.write(join(dir.path, "b"), "");
    mkdirSync(join(dir.path, "to"));
    const { status } = await shell(`$X cp a b :"$PWD/to"`, { url, cwd: dir.path });
    expect(status).toBe(0);
    expect(await Bun.file(join(dir.path, "to/a")).text()).toBe("A");
    expect(statSync(join(dir.path, "to/b")).size).toBe(0);
    const refused = await shell(`$X cp a b :"$PWD/none"`, { url, cwd: dir.path });
    expect(refused).toEqual({
      status: 1,
      stdout: "",
      stderr:
        `exec-server: :${dir.path}/none is not a directory\nHint: several sources need a directory that is there\n`,
    });
  });

  there("carries streams, and nothing but the bytes comes out", async (url) => {
    using dir = directory();
    await Bun.write(join(dir.path, "big"), bigBytes(40));
    const line =
      `cat big | $X cp - :"$PWD/in" && cmp big in && $X cp :"$PWD/in" - | cmp - big && $X cp <(echo pipe) :"$PWD/p" && cat p`;
    expect(await shell(line, { url, cwd: dir.path })).toEqual({ status: 0, stdout: "pipe\n", stderr: "" });
    expect(
      (await shell(`$X cp :"$PWD/in" - | head -c 1 >/dev/null; echo \${PIPESTATUS[0]}`, {
        url,
        cwd: dir.path,
      })).stdout,
    )
      .toBe("141\n");
  });

  there("refuses to copy a file onto itself, by whatever name, before it is touched", async (url) => {
    using dir = directory();
    await Bun.write(join(dir.path, "big"), bigBytes(30));
    linkSync(join(dir.path, "big"), join(dir.path, "hard"));
    symlinkSync("big", join(dir.path, "soft"));
    for (const [from, to] of [["big", "big"], ["big", "hard"], ["soft", "big"], ["big", "soft"]]) {
      for (const line of [`$X cp ${from} :"$PWD/${to}"`, `$X cp :"$PWD/${from}" ${to}`]) {
        const { status, stderr } = await shell(line, { url, cwd: dir.path });
        expect({ line, status, said: stderr.includes("it is the same file") }).toEqual({
          line,
          status: 1,
          said: true,
        });
      }
    }
    expect(bigBytes(30).equals(await Bun.file(join(dir.path, "hard")).bytes())).toBe(true);
    expect(dir.names()).toEqual(["big", "hard", "soft"]);
  });

  there("refuses to copy a tree into itself", async (url) => {
    using dir = directory();
    mkdirSync(join(dir.path, "tree/sub"), { recursive: true });
    for (const line of [`$X cp -r tree :"$PWD/tree/sub"`, `$X cp -r :"$PWD/tree" tree/new`]) {
      const { status, stderr } = await shell(line, { url, cwd: dir.path });
      expect({ status, said: stderr.includes("into itself") }).toEqual({ status: 1, said: true });
    }
    expect((await shell("find tree", { cwd: dir.path })).stdout).toBe("tree\ntree/sub\n");
  });

  there("carries trees with odd names", async (url) => {
    using dir = directory();
    const make =
      `mkdir -p 'tree/a b/deep' tree/empty; cd tree; echo 1 > 'a b/deep/f'; echo 2 > 'p%41?#'; echo 3 > $'new\\nline';
      echo 4 > $'tab\\t'; echo 5 > ./-dash; echo 6 > "$(printf 'n%.0s' {1..255})"; ${
        place === "the real server" ? "" : `echo 7 > $'\\xff\\xfe'`
      }`;
    await shell(make, { cwd: dir.path });
    const line =
      `$X cp -r tree :"$PWD/up" && $X cp -r :"$PWD/tree" down && diff -r tree up && diff -r tree down && find up | wc -l`;
    const { status, stderr } = await shell(line, { url, cwd: dir.path });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(
      (await shell("ls -A up | cmp - <(ls -A tree) && ls -A down | cmp - <(ls -A tree)", { cwd: dir.path }))
        .status,
    ).toBe(0);
  });

  there("takes names of any bytes as arguments", async (url) => {
    using dir = directory();
    const line =
      `echo odd > $'\\xff'; $X cp $'\\xff' :"$PWD/"$'\\xfe' && $X cp :"$PWD/"$'\\xfe' $'\\xfd' && cat $'\\xfd'`;
    expect(await shell(line, { url, cwd: dir.path })).toEqual({ status: 0, stdout: "odd\n", stderr: "" });
  });

  there("writes through no link in a tree, and leaves what the link leads to alone", async (url) => {
    using dir = directory();
    for (const name of ["tree/sub", "outside", "target/tree"]) {
      mkdirSync(join(dir.path, name), { recursive: true });
    }
    await Bun.write(join(dir.path, "tree/sub/f"), "new");
    await Bun.write(join(dir.path, "tree/g"), "new");
    await Bun.write(join(dir.path, "outside/g"), "old");
    symlinkSync("../../outside", join(dir.path, "target/tree/sub"));
    const refused = await shell(`$X cp -r tree :"$PWD/target"`, { url, cwd: dir.path });
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(
      /^exec-server: cannot copy tree: \S*\/target\/tree\/sub is a link, and a directory is to be there\nHint: /,
    );
    expect(existsSync(join(dir.path, "outside/f"))).toBe(false);

    await shell("rm target/tree/sub && ln -s ../../outside/g target/tree/g", { cwd: dir.path });
    expect((await shell(`$X cp -r tree :"$PWD/target"`, { url, cwd: dir.path })).status).toBe(0);
    expect(await Bun.file(join(dir.path, "outside/g")).text()).toBe("old");
    expect(lstatSync(join(dir.path, "target/tree/g")).isFile()).toBe(true);
  });

  there("goes through a link that was named, and leaves the link", async (url) => {
    using dir = directory();
    await Bun.write(join(dir.path, "new"), "new");
    await Bun.write(join(dir.path, "real"), "old and longer");
    symlinkSync("real", join(dir.path, "link"));
    expect((await shell(`$X cp new :"$PWD/link"`, { url, cwd: dir.path })).status).toBe(0);
    expect(readlinkSync(join(dir.path, "link"))).toBe("real");
    expect(await Bun.file(join(dir.path, "real")).text()).toBe("new");
    symlinkSync("nowhere", join(dir.path, "dangling"));
    expect((await shell(`$X cp new :"$PWD/dangling"`, { url, cwd: dir.path })).status).toBe(1);
    expect(existsSync(join(dir.path, "nowhere"))).toBe(false);
  });

  there("keeps the mode of a file that it replaces there", async (url) => {
    using dir = directory();
    for (const [name, bytes] of [["small", bigBytes(1)], ["large", bigBytes(40)]] as const) {
      await Bun.write(join(dir.path, name), bytes);
      await Bun.write(join(dir.path, `${name}.there`), "old");
      for (const file of [name, `${name}.there`]) chmodSync(join(dir.path, file), 0o751);
      expect((await shell(`$X cp ${name} :"$PWD/${name}.there"`, { url, cwd: dir.path })).status).toBe(0);
      expect(statSync(join(dir.path, `${name}.there`)).mode & 0o777).toBe(0o751);
      expect(bytes.equals(await Bun.file(join(dir.path, `${name}.there`)).bytes())).toBe(true);
    }
  });

  there("never mixes two copies to one place, of one file or of two", async (url) => {
    using dir = directory();
    await Bun.write(join(dir.path, "one"), bigBytes(100));
    await Bun.write(join(dir.path, "two"), bigBytes(90).map((byte) => byte ^ 255));
    if (place === "the real server") return; // whose last step writes over what is there, bit by bit
    for (const other of ["one", "two"]) {
      const line = `$X cp one :"$PWD/to" & a=$!; $X cp ${other} :"$PWD/to" && wait $a || echo failed
        cmp -s one to || cmp -s ${other} to || echo mixed; ls -A; rm to`;
      const { stdout, stderr } = await shell(line, { url, cwd: dir.path });
      // Two of the same may meet on their way; then the later goes on with what the earlier has brought.
      expect(stderr.replace(/^exec-server: .*one: going on after .*\n/m, "")).toBe("");
      expect(stdout).toBe("one\nto\ntwo\n");
    }
  });

  there("says what it could not find or write in the system's words", async (url) => {
    using dir = directory();
    await Bun.write(join(dir.path, "f"), "");
    const none = await shell(`$X cp :"$PWD/none" x`, { url, cwd: dir.path });
    expect(none.status).toBe(1);
    expect(none.stderr).toStartWith(
      `exec-server: cannot copy :${dir.path}/none: No such file or directory (os error 2)\nHint: `,
    );
    const parent = await shell(`$X cp f :"$PWD/none/x"`, { url, cwd: dir.path });
    expect(parent.status).toBe(1);
    const where = url === null ? dir.path : `${new URL(url).host}:${dir.path}`;
    expect(parent.stderr).toStartWith(
      `exec-server: cannot copy f: cannot write ${where}/none/x: No such file or directory (os error 2)\nHint: `,
    );
    expect(dir.names()).toEqual(["f"]);
  });

  there("names the destination, where that is what it stumbles over", async (url) => {
    using dir = directory();
    await shell("echo x > f; mkdir -p to/f; ln -s nowhere link; ln f g", { cwd: dir.path });
    const there = url === null ? "" : `${new URL(url).host}:`;
    const said = async (line: string) => {
      const { status, stderr } = await shell(line, { url, cwd: dir.path });
      expect({ line, status, hasHint: stderr.includes("\nHint: ") }).toEqual({
        line,
        status: 1,
        hasHint: true,
      });
      return stderr.split("\n")[0]!.replaceAll(dir.path, "~");
    };
    expect(await said(`$X cp f :"$PWD/link"`)).toBe(
      `exec-server: cannot copy f: ${there}~/link is a link that leads nowhere`,
    );
    expect(await said(`$X cp f :"$PWD/to"`)).toBe(
      `exec-server: cannot copy f: ${there}~/to/f is a directory`,
    );
    expect(await said(`$X cp f :"$PWD/g"`)).toBe(
      `exec-server: cannot copy f: it is the same file as ${there}~/g`,
    );
    expect(await said(`$X cp :"$PWD/f" :"$PWD/none/x"`)).toStartWith(
      `exec-server: cannot copy :~/f: cannot write ${there}~/none/x: No such file or directory`,
    );
    if (url === null) return; // whose devices can be read and written
    expect(await said("$X cp f :/dev/null")).toBe(
      `exec-server: cannot copy f: ${there}/dev/null is neither a file nor a directory`,
    );
    expect(await said("$X cp :/dev/null x")).toBe(
      "exec-server: cannot copy :/dev/null: it is neither a file nor a directory",
    );
    expect(await said("$X cp :/dev/null -")).toBe(
      "exec-server: cannot copy :/dev/null: it is neither a file nor a directory",
    );
  });

  there("refuses an empty path", async (url) => {
    using dir = directory();
    await shell("mkdir t; echo x > t/f", { cwd: dir.path });
    for (const line of [`$X cp -r '' :"$PWD/x"`, "$X cp t/f ''", "$X cp -r t '' x", "$X cp '' ''"]) {
      expect({ line, ...await shell(line, { url, cwd: dir.path }) }).toEqual({
        ...{ line, status: 2, stdout: "" },
        stderr:
          "exec-server: a path is empty\nHint: a variable in its place may be empty; `.` is the directory itself\n",
      });
    }
    expect(dir.names()).toEqual(["t"]);
  });

  there("copies from there to there", async (url) => {
    using dir = directory();
    mkdirSync(join(dir.path, "tree"));
    await Bun.write(join(dir.path, "tree/f"), bigBytes(20));
    symlinkSync("f", join(dir.path, "tree/link"));
    const { status, stderr } = await shell(`$X cp -r :"$PWD/tree" :"$PWD/copy"`, { url, cwd: dir.path });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(bigBytes(20).equals(await Bun.file(join(dir.path, "copy/f")).bytes())).toBe(true);
    expect(readlinkSync(join(dir.path, "copy/link"))).toBe("f");
  });
});

describe("cp on one machine", () => {
  test("keeps modes, times and links", async () => {
    using dir = directory();
    mkdirSync(join(dir.path, "tree/sub"), { recursive: true });
    await Bun.write(join(dir.path, "tree/sub/f"), "x");
    symlinkSync("nowhere", join(dir.path, "tree/dangling"));
    chmodSync(join(dir.path, "tree/sub/f"), 0o604);
    chmodSync(join(dir.path, "tree/sub"), 0o750);
    for (const name of ["sub/f", "sub", ""]) {
      utimesSync(join(dir.path, "tree", name), 1_400_000_000, 1_400_000_000);
    }
    expect((await shell("$X cp -r tree copy", { cwd: dir.path })).status).toBe(0);
    const facts = (name: string) => {
      const { mode, mtimeMs } = lstatSync(join(dir.path, "copy", name));
      return [mode & 0o777, mtimeMs];
    };
    expect(facts("sub/f")).toEqual([0o604, 1_400_000_000_000]);
    expect(facts("sub")).toEqual([0o750, 1_400_000_000_000]);
    expect(readlinkSync(join(dir.path, "copy/dangling"))).toBe("nowhere");
  });

  test("leaves nothing behind when the disk takes no more", async () => {
    using dir = directory();
    await Bun.write(join(dir.path, "big"), bigBytes(100));
    await Bun.write(join(dir.path, "old"), "old");
    const { status, stderr } = await shell("ulimit -f 2048; $X cp big old", { cwd: dir.path });
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: `exec-server: cannot copy big: cannot write ${dir.path}/old: File too large (os error 27)\n`,
    });
    expect(dir.names()).toEqual(["big", "old"]);
    expect(await Bun.file(join(dir.path, "old")).text()).toBe("old");
  });
});

test("cp refuses what makes no sense as wrong usage", async () => {
  for (
    const line of [
      "$X cp",
      "$X cp one",
      "$X cp --nonsense a b",
      "$X cp --json a -",
      "$X cp -s ws://h --host x a b",
    ]
  ) {
    expect({ line, status: (await shell(line)).status }).toEqual({ line, status: 2 });
  }
});

import { afterAll, beforeAll, expect, test } from "bun:test";
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

const LOST = "exec-server: modes stay behind, the server has no word for them: ";
const TREE = "mkdir -m 755 t; mkdir -m 700 t/own; for f in a b own/c; do echo x > t/$f; done; " +
  "chmod 600 t/a; chmod 755 t/b; chmod 644 t/own/c";

test("an upload to a plain Codex server says once how many modes are lost that matter", async () => {
  if (codex === null) return;
  using dir = directory();
  await shell(TREE, { cwd: dir.path });
  const options = { url: codex.url, cwd: dir.path };
  expect(await shell(`$X cp -r t :"$PWD/up"`, options)).toEqual({
    status: 0,
    stdout: "",
    stderr: `${LOST}others may be able to read 2 that they cannot read here, 1 no longer executable\n`,
  });
  // What is there keeps the mode that it has.
  expect(await shell(`$X cp -r t/. :"$PWD/up"`, options)).toEqual({ status: 0, stdout: "", stderr: "" });
  expect((await shell(`$X cp -q t/a :"$PWD/quiet"`, options)).stderr).toBe("");
});

test("an upload of what anybody may read, and every download, says nothing of modes", async () => {
  if (codex === null) return;
  using dir = directory();
  await shell("echo x > f; echo x > p; chmod 644 f; chmod 600 p", { cwd: dir.path });
  const line = `$X cp f :"$PWD/up" && $X cp :"$PWD/p" down && $X cp --host local p again`;
  expect(await shell(line, { cwd: dir.path, url: codex.url })).toEqual({
    status: 0,
    stdout: "",
    stderr: "",
  });
});

const SETUID = "exec-server: setuid and setgid bits stay behind: 1 had them\n";

/** Mode, seconds, kind and name of all below, one a line. */
const FACTS = `(cd "$1" && find . -printf '%m %T@ %y %p %l\\n' | sed 's/\\.[0-9]* / /' | sort -k4)`;

test("a tree that goes to our server and back keeps modes, times and links, also of directories", async () => {
  using dir = directory();
  const make = `${TREE}; chmod 4755 t/b; ln -s nowhere t/own/dangling; ln -s ../a t/own/up; ln -s own t/folder
    mkdir -m 500 t/shut; mkdir -m 1777 t/open; touch -h -d @1300000000 t/own/up t/own/dangling t/folder
    touch -d @-86400.5 t/b; touch -d @1400000000.123 t/own/c t/a t/open t/own t
    chmod 750 t; facts() ${FACTS}; facts t > facts.t`;
  await shell(make, { cwd: dir.path });
  const copies = `$X cp -r t :"$PWD/up" && $X cp -r :"$PWD/up" down && $X cp -r :"$PWD/t" :"$PWD/there"`;
  expect(await shell(copies, { url: ours.url, cwd: dir.path })).toEqual({
    status: 0,
    stdout: "",
    stderr: SETUID.repeat(2), // nothing is left of it for the second
  });
  // The bit that lets it run as its owner stays behind.
  const line = `facts() ${FACTS}; for copy in up down there; do facts $copy > facts.$copy; done
    sed -i 's/^4755 /755 /' facts.*
    for copy in up down there; do diff facts.t facts.$copy; done; grep -v shut facts.there`;
  expect(await shell(line, { cwd: dir.path })).toEqual({
    status: 0,
    stderr: "",
    stdout: "750 1400000000 d . \n600 1400000000 f ./a \n755 -86401 f ./b \n777 1300000000 l ./folder own\n" +
      "1777 1400000000 d ./open \n700 1400000000 d ./own \n644 1400000000 f ./own/c \n" +
      "777 1300000000 l ./own/dangling nowhere\n777 1300000000 l ./own/up ../a\n",
  });
});

const FOLLOWED =
  "exec-server: 2 links are followed, as the server cannot keep them: what they lead to is copied\n";

test("what links in a tree lead to is copied with -L, and to or from a plain Codex server", async () => {
  using dir = directory();
  await shell("mkdir t out; echo x > out/f; ln -s ../out/f t/file; ln -s ../out t/folder", { cwd: dir.path });
  for (const [server, flag] of [[ours, "-L"], [codex, ""]] as const) {
    if (server === null) continue;
    const line = `rm -rf up down; $X cp -r ${flag} t :"$PWD/up" && $X cp -r ${flag} :"$PWD/t" down;
      find up down -type l; find up down -type f | sort`;
    expect(await shell(line, { url: server.url, cwd: dir.path })).toEqual({
      status: 0,
      stdout: "down/file\ndown/folder/f\nup/file\nup/folder/f\n",
      stderr: server === codex ? FOLLOWED.repeat(2) : "",
    });
  }
});

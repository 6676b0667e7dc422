import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { FsError } from "../../lib/fs/fs_error.ts";
import type { FileSystem } from "../../lib/fs/file_system.ts";
import { localFileSystem } from "../../lib/fs/local/local_file_system.ts";
import { mechanism } from "./confined.ts";
import { Grounds, OUTSIDE, viewed } from "./viewed.ts";

const MINE = Buffer.from("MINE");
const LIMITS = { maxDepth: 9, maxDirectories: 999, maxEntries: 999 };
const WALK = { ...LIMITS, followDirectorySymlinks: true, pruneHiddenDirectories: false };
const ALL = { recursive: true, force: true };

/** Ways from inside to the outside directory, as paths. */
function waysOut(grounds: Grounds): string[] {
  const { outside, work } = grounds;
  const up = "../".repeat(40);
  const links: Record<string, string> = {
    absolute: outside,
    relative: "../outside",
    climbing: up + outside.slice(1),
    through: "absolute",
    own: `/proc/self/root${outside}`,
    ours: `/proc/${process.pid}/root${outside}`,
    cwd: `/proc/self/cwd/${up}${outside.slice(1)}`,
    thread: `/proc/thread-self/root${outside}`,
    dev: `/dev/fd/../root${outside}`,
  };
  for (const [name, target] of Object.entries(links)) symlinkSync(target, `${work}/${name}`);
  return [
    ...Object.keys(links).map((name) => `${work}/${name}`),
    ...Object.keys(links).map((name) => `${work}/./${name}/.`),
    `${work}/../outside`,
    `${work}/${up}${outside.slice(1)}`,
    `/proc/self/root${outside}`,
    outside,
  ];
}

/** Everything that a way out could be used for. What it says of what is outside, and that it failed, is told. */
function attempts(files: FileSystem, out: string, inside: string): [string, () => unknown][] {
  const file = `${out}/file`;
  return [
    ["read", () => files.readFile(file)],
    ["read without following", () => files.readFile(file, { followSymlinks: false })],
    ["open", async () => (await files.open(file, "read")).close()],
    ["look", () => files.getMetadata(file)],
    ["look at it", () => files.getMetadata(file, { itself: true })],
    ["list", () => files.readDirectory(out)],
    ["list all", () => files.readDirectory(out, { all: true })],
    ["find", () => files.canonicalize(file)],
    ["copy from", () => files.copy(file, `${inside}/stolen`, { recursive: false })],
    ["copy tree from", () => files.copy(`${out}/directory`, `${inside}/stolen`, { recursive: true })],
    ["rename from", () => files.rename(file, `${inside}/stolen`)],
    ["write", () => files.writeFile(file, MINE)],
    ["write without following", () => files.writeFile(file, MINE, { followSymlinks: false })],
    ["write new", () => files.writeFile(`${out}/new`, MINE)],
    ["append", () => files.append(file, MINE)],
    ["replace", async () => (await files.open(file, "replace")).close()],
    ["update", async () => (await files.open(`${out}/new`, "update", { private: true })).close()],
    ["mode", () => files.setMode(file, 0o777)],
    ["times", () => files.setTimes(file, { modifiedAtMs: 1 })],
    ["make", () => files.createDirectory(`${out}/new`, { recursive: false })],
    ["make deep", () => files.createDirectory(`${out}/new/deep`, { recursive: true })],
    ["link", () => files.createSymlink(`${out}/new`, "x")],
    ["copy to", () => files.copy(`${inside}/mine`, file, { recursive: false })],
    ["copy tree to", () => files.copy(`${inside}/tree`, `${out}/new`, { recursive: true })],
    ["rename to", () => files.rename(`${inside}/mine`, `${out}/new`)],
    ["remove", () => files.remove(file, { recursive: false, force: false })],
    ["remove tree", () => files.remove(`${out}/directory`, { recursive: true, force: false })],
  ];
}

async function succeeds(doing: () => unknown): Promise<boolean> {
  try {
    await doing();
    return true;
  } catch (error) {
    if (error instanceof FsError && error.code !== "unsupported") return false;
    throw error;
  }
}

describe.skipIf(mechanism === null)("out of a view of files", () => {
  test("no path leads, whatever is asked of it", async () => {
    using grounds = new Grounds();
    grounds.put("mine");
    grounds.put("tree/file");
    const ways = waysOut(grounds);
    using seen = await viewed([grounds.rule("write")], { view: "minimal" });
    const before = grounds.seenOutside;
    for (const out of ways) {
      for (const [name, attempt] of attempts(seen.files, out, grounds.work)) {
        expect([out, name, await succeeds(attempt)]).toEqual([out, name, false]);
      }
      expect(grounds.seenOutside).toBe(before);
    }
    expect(existsSync(grounds.at("stolen"))).toBe(false);
    expect(existsSync(grounds.at("mine"))).toBe(true);
  });

  test("and the same paths lead out where nobody is confined", async () => {
    for (const index of [0, 1, 2, 3, 4, 5, 18, 19]) {
      using grounds = new Grounds();
      grounds.put("mine");
      const out = waysOut(grounds)[index]!;
      expect(Buffer.from(await localFileSystem.readFile(`${out}/file`)).toString()).toBe(OUTSIDE);
      await localFileSystem.writeFile(`${out}/new`, MINE);
      expect(existsSync(`${grounds.outside}/new`)).toBe(true);
    }
  });

  test("no link in a tree leads while the tree is walked, listed, copied or removed", async () => {
    using grounds = new Grounds();
    const { outside } = grounds;
    grounds.put("from/file");
    grounds.put("from/other");
    grounds.put("from/directory/file");
    for (const name of ["file", "directory"]) {
      mkdirSync(grounds.at("to"), { recursive: true });
      symlinkSync(`${outside}/${name}`, grounds.at(`to/${name}`));
    }
    symlinkSync(`${outside}/new`, grounds.at("to/other"));
    symlinkSync(outside, grounds.at("from/out"));
    using seen = await viewed([grounds.rule("write")], { view: "minimal" });
    const { files } = seen;
    const before = grounds.seenOutside;

    const walked: string[] = [];
    await files.walk(grounds.work, WALK, ({ path }) => walked.push(String(path)) > 0);
    expect(walked.filter((path) => path.includes("out") || path.startsWith("to/"))).toEqual([]);
    expect((await files.readDirectory(grounds.at("to"))).length).toBe(0);
    for (const path of ["from/file", "from/other"]) {
      const name = path.split("/")[1]!;
      expect(
        await succeeds(() => files.copy(grounds.at(path), grounds.at(`to/${name}`), { recursive: false })),
      )
        .toBe(false);
    }
    expect(await succeeds(() => files.copy(grounds.at("from"), grounds.at("to"), { recursive: true }))).toBe(
      false,
    );
    await files.remove(grounds.at("from"), ALL);
    await files.remove(grounds.at("to"), ALL);
    expect(grounds.seenOutside).toBe(before);
  });

  test("nobody gets by putting a link in a directory's place, again and again", async () => {
    using grounds = new Grounds();
    const { outside } = grounds;
    grounds.put("real/file");
    grounds.put("source/file");
    symlinkSync(outside, grounds.at("link"));
    using seen = await viewed([grounds.rule("write")], { view: "minimal" });
    const before = grounds.seenOutside;
    const swap = `const { mkdirSync, renameSync, symlinkSync } = require("node:fs");
      process.chdir(${JSON.stringify(grounds.work)});
      for (let i = 0; ; i++) {
        try { mkdirSync("real"); } catch {}
        try { symlinkSync(${JSON.stringify(outside)}, "link"); } catch {}
        try { renameSync("real", "here"); } catch {}
        try { renameSync("here", "real"); } catch {}
        try { renameSync("link", "here"); } catch {}
        try { renameSync("here", "link"); } catch {}
        if (i === 0) console.log("swapping");
      }`;
    await using attacker = Bun.spawn([process.execPath, "-e", swap], { stdout: "pipe" });
    const said = attacker.stdout.getReader();
    await said.read();
    const { files } = seen;
    const here = grounds.at("here");
    for (let round = 0; round < 300; round++) {
      for (
        const doing of [
          () => files.writeFile(`${here}/file`, MINE),
          () => files.writeFile(`${here}/new`, MINE, { followSymlinks: false }),
          () => files.createDirectory(`${here}/new/deep`, { recursive: true }),
          () => files.copy(grounds.at("source"), here, { recursive: true }),
          () => files.setMode(`${here}/file`, 0o600),
          () => files.remove(`${here}/new`, ALL),
          () => files.remove(here, ALL),
          async () => {
            expect(Buffer.from(await files.readFile(`${here}/file`)).toString()).not.toBe(OUTSIDE);
          },
        ]
      ) await succeeds(doing);
    }
    attacker.kill("SIGKILL");
    await attacker.exited;
    await said.cancel();
    expect(grounds.seenOutside).toBe(before);
  });
});

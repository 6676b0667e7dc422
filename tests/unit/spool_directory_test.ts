import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "@std/path";
import { isInMemoryAt, SpoolDirectory, sweepSpools } from "../../lib/process/local/spool_directory.ts";
import { openSpools } from "../../lib/process/local/spool_room.ts";
import { spoolRoot } from "../support/spools.ts";

/** A place that is gone with the test. */
async function place(): Promise<{ root: string } & Disposable> {
  const root = await spoolRoot();
  return { root, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) };
}

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

describe("the directory of a spool", () => {
  test("is made with all above it, for nobody else to read, and goes without a trace", async () => {
    using at = await place();
    const root = join(at.root, "state", "exec-server", "spool");
    const directory = await SpoolDirectory.make(root);
    expect([modeOf(root), modeOf(directory.path)]).toEqual(["700", "700"]);
    await writeFile(join(directory.path, "1.1"), "words");
    directory.remove();
    expect(readdirSync(root)).toEqual([]);
  });

  test("is removed once, whoever asks again: the number of its lock is somebody else's by then", async () => {
    using at = await place();
    const directory = await SpoolDirectory.make(at.root);
    directory.remove();
    const next = await SpoolDirectory.make(at.root); // is given the number
    directory.remove();
    await sweepSpools(at.root);
    expect(existsSync(next.path)).toBe(true);
    next.remove();
  });

  test("is closed to others where it was open", async () => {
    using at = await place();
    chmodSync(at.root, 0o755);
    (await SpoolDirectory.make(at.root)).remove();
    expect(modeOf(at.root)).toBe("700");
  });

  test("is litter once nobody holds it, and what others have there is not", async () => {
    using at = await place();
    const held = await SpoolDirectory.make(at.root);
    await mkdir(join(at.root, "server-crashed"));
    await writeFile(join(at.root, "server-crashed", "1.1"), "words");
    await mkdir(join(at.root, "theirs"));
    await mkdir(join(at.root, "elsewhere"));
    symlinkSync(join(at.root, "elsewhere"), join(at.root, "server-link"));
    await sweepSpools(at.root);
    expect(readdirSync(at.root).sort()).toEqual(
      ["elsewhere", held.path.slice(at.root.length + 1), "server-link", "theirs"].sort(),
    );
    held.remove();
  });

  test("of many servers that start at once is each its own, whoever sweeps meanwhile", async () => {
    using at = await place();
    const made = await Promise.all(
      Array.from({ length: 20 }, async () => {
        await sweepSpools(at.root);
        return await SpoolDirectory.make(at.root);
      }),
    );
    await sweepSpools(at.root);
    expect(new Set(made.map(({ path }) => path)).size).toBe(20);
    expect(made.every(({ path }) => existsSync(path))).toBe(true);
    for (const directory of made) directory.remove();
  });

  test("that is not there needs no sweeping", async () => {
    using at = await place();
    await sweepSpools(join(at.root, "nothing"));
    expect(existsSync(join(at.root, "nothing"))).toBe(false);
  });
});

describe("spools", () => {
  test("are not where they would only fill the memory, unless a person said so", async () => {
    const root = "/dev/shm/exec-server-spool-test";
    rmSync(root, { recursive: true, force: true });
    if (!existsSync("/dev/shm") || !await isInMemoryAt(root)) {
      console.warn("Skipped: this machine has no file system in memory");
      return;
    }
    const warnings: string[] = [];
    const settings = { root, maxBytes: 2 ** 30, warn: (message: string) => void warnings.push(message) };
    expect(await openSpools({ ...settings, isNamed: false })).toBeNull();
    expect(warnings).toEqual([
      `Output beyond 1 MiB a process is not kept: Cannot use ${root}: it is in memory, not on disk; ` +
      "name a place with --spool-dir",
    ]);
    const room = await openSpools({ ...settings, isNamed: true });
    expect(readdirSync(root)).toHaveLength(1);
    room?.close();
    expect(readdirSync(root)).toEqual([]);
    rmSync(root, { recursive: true });
  });

  test("in a place that will not do are an error where a person named it, and done without where not", async () => {
    using at = await place();
    const root = join(at.root, "file", "spool");
    await writeFile(join(at.root, "file"), "");
    const warnings: string[] = [];
    const settings = { root, maxBytes: 2 ** 30, warn: (message: string) => void warnings.push(message) };
    const named = openSpools({ ...settings, isNamed: true });
    expect(await named.catch((error) => error)).toMatchObject({ code: "ENOTDIR" });
    expect(await openSpools({ ...settings, isNamed: false })).toBeNull();
    expect(warnings).toHaveLength(1);
  });

  test("that nobody needs make nothing", async () => {
    using at = await place();
    const root = join(at.root, "spool");
    mkdirSync(root);
    if (await isInMemoryAt(root)) return; // then there are none anyway
    const room = await openSpools({
      root,
      isNamed: false,
      maxBytes: 2 ** 30,
      warn: () => expect.unreachable(),
    });
    room!.open();
    expect(readdirSync(root)).toEqual([]);
    room!.close();
  });
});

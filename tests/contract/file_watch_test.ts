import { describe, expect, test } from "bun:test";
import { chmodSync, linkSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import {
  type Change,
  type FileSystem,
  MAX_CHANGED_NAMES,
  type NativePath,
} from "../../lib/fs/file_system.ts";
import { directory, failure } from "../support/file_facts.ts";
import { fileTargets } from "../support/file_targets.ts";
import { within } from "../support/peer_deadline.ts";

/** What one watch tells, one after the other. */
class Told {
  readonly changes: Change[] = [];
  #wake: (() => void)[] = [];

  readonly take = (change: Change): void => {
    this.changes.push(change);
    for (const wake of this.#wake.splice(0)) wake();
  };

  /** Resolves with all that was told since, once that is enough. */
  async until(isEnough: (change: Change) => boolean, what: string): Promise<Change> {
    const wait = async () => {
      for (;;) {
        const all: Change = {
          names: this.changes.flatMap(({ names }) => names),
          overflow: this.changes.some(({ overflow }) => overflow),
          ended: this.changes.some(({ ended }) => ended),
        };
        if (isEnough(all)) return all;
        await new Promise<void>((resolve) => this.#wake.push(resolve));
      }
    };
    const all = await within(wait(), what);
    this.changes.length = 0;
    return all;
  }
}

async function watching(files: FileSystem, path: NativePath) {
  const told = new Told();
  const watch = await files.watch(path, told.take);
  if (watch === null) throw new Error("Expected a watch");
  return { told, watch };
}

const anything = () => true;
const any = (told: Told, what: string) => told.until((_) => told.changes.length > 0, what);

const targets = fileTargets.filter(({ server, watches = true }) =>
  watches && (server === null || server === "ours")
);

for (const { name, open } of targets) {
  describe(`watching the ${name} file system`, () => {
    test("a directory's entries are told again and again, by their names", async () => {
      using here = directory();
      await using opened = await open();
      const { told, watch } = await watching(opened.files, here.path);
      const odd = Buffer.concat([Buffer.from(`${here.path}/`), Buffer.from([0xff, 0x25, 0x0a])]);
      writeFileSync(odd, "");
      here.put("ö", "");
      const first = await told.until(({ names }) => names.length >= 2, "two new names");
      expect(first).toEqual({ names: [Buffer.from([0xff, 0x25, 0x0a]), "ö"], overflow: false, ended: false });
      chmodSync(`${here.path}/ö`, 0o600);
      expect((await told.until(({ names }) => names.length > 0, "a mode")).names).toEqual(["ö"]);
      renameSync(`${here.path}/ö`, `${here.path}/o`);
      expect((await told.until(({ names }) => names.length > 1, "a new name")).names).toEqual(["ö", "o"]);
      watch.stop();
    });

    test("a file is told when it is written to, replaced, removed and made again", async () => {
      using here = directory();
      await using opened = await open();
      const file = here.put("file", "1");
      linkSync(file, `${here.path}/same`);
      symlinkSync("file", `${here.path}/link`);
      const { told, watch } = await watching(opened.files, `${here.path}/link`);
      const nothingElse = { names: [], overflow: false, ended: false };
      here.put("same", "2");
      expect(await any(told, "a write by another name")).toEqual(nothingElse);
      renameSync(here.put("other", "3"), file);
      expect(await any(told, "another file in its place")).toEqual(nothingElse);
      here.put("file", "4");
      expect(await any(told, "a write to that one")).toEqual(nothingElse);
      rmSync(file);
      expect(await any(told, "its end")).toEqual(nothingElse);
      here.put("file", "5");
      expect(await any(told, "a new one")).toEqual(nothingElse);
      watch.stop();
    });

    test("a storm is told a few times, with some names and that there are more", async () => {
      using here = directory();
      await using opened = await open();
      const { told, watch } = await watching(opened.files, here.path);
      const count = 3 * MAX_CHANGED_NAMES;
      for (let round = 0; round < 20; round++) {
        for (let i = 0; i < count; i++) writeFileSync(`${here.path}/${i}`, "x");
      }
      writeFileSync(`${here.path}/last`, "");
      let [most, times] = [0, 0];
      const counted = ({ overflow }: Change) => {
        times = told.changes.length;
        most = Math.max(...told.changes.map(({ names }) => names.length));
        return overflow;
      };
      await told.until(counted, "an overflow");
      expect(most).toBeLessThanOrEqual(MAX_CHANGED_NAMES);
      expect(times).toBeLessThan(100);
      watch.stop();
    });

    test("nothing is told of what is stopped, and the last is told of what is gone", async () => {
      using here = directory();
      await using opened = await open();
      const { files } = opened;
      mkdirSync(`${here.path}/a`);
      const one = await watching(files, `${here.path}/a`);
      const stopped = await watching(files, `${here.path}/a`);
      const other = await watching(files, here.path);
      stopped.watch.stop();
      rmSync(`${here.path}/a`, { recursive: true });
      expect((await one.told.until(({ ended }) => ended, "its end")).ended).toBe(true);
      expect((await other.told.until(anything, "the name")).ended).toBe(false);
      mkdirSync(`${here.path}/a`);
      here.put("a/x", "");
      await other.told.until(({ names }) => names.includes("a"), "its name again");
      expect([one.told.changes, stopped.told.changes]).toEqual([[], []]);
      one.watch.stop();
      other.watch.stop();
    });

    test("what is not there cannot be watched, and nothing is promised where it could not be known", async () => {
      using here = directory();
      await using opened = await open();
      expect(await failure(() => opened.files.watch(`${here.path}/missing`, () => {}))).toBe("ENOENT");
      expect(await opened.files.watch("/proc/self", () => {})).toBeNull();
      expect(await opened.files.watch("/proc/meminfo", () => {})).toBeNull();
      expect(await opened.files.watch("/dev/null", () => {})).toBeNull();
    });
  });
}

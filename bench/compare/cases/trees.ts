import { statSync } from "node:fs";
import { type Case, must } from "../case.ts";
import { median } from "../statistics.ts";

const LIMITS = { maxDepth: 64, maxDirectories: 10_000, maxEntries: 50_000, followDirectorySymlinks: false };
/** What both must tell of the tree of 50,000: the protocol cuts an answer at 4 MiB of paths. */
const LEAST_OF_50K = 25_000;

function walk(name: string, directories: number, filesEach: number, times: number, isCut: boolean): Case {
  const tree = `tree-${directories}`;
  const total = directories * (filesEach + 1);
  return {
    name,
    about: `fs/walk of ${directories} directories with ${directories * filesEach} files${
      isCut ? ", cut at 4 MiB" : ""
    }`,
    unit: "ms",
    betterIs: "less",
    prepare: (scene) => scene.tree(tree, directories, filesEach),
    async once(wire, scene) {
      const took: number[] = [];
      for (let i = 0; i < times; i++) {
        const begun = performance.now();
        const answer = await wire.ask("fs/walk", { path: scene.uri(tree), options: LIMITS });
        took.push(performance.now() - begun);
        const found = answer.split('"kind":').length - 1;
        const wasCut = /"truncated":true/.test(answer);
        must(
          wasCut === isCut && found >= (isCut ? LEAST_OF_50K : total),
          `Only ${found} of ${total} were found`,
        );
      }
      return median(took);
    },
  };
}

const ENTRIES = 10_000;
const COPIED = { directories: 20, filesEach: 100, size: 1024 };

export const trees: Case[] = [
  walk("fs.walk20k", 200, 100, 3, false),
  walk("fs.walk50k", 500, 100, 2, true),
  {
    name: "fs.list10k",
    about: "fs/readDirectory of 10,000 files",
    unit: "ms",
    betterIs: "less",
    prepare: (scene) => scene.tree("flat", 1, ENTRIES),
    async once(wire, scene) {
      const took: number[] = [];
      for (let i = 0; i < 5; i++) {
        const begun = performance.now();
        const answer = await wire.ask("fs/readDirectory", { path: scene.uri("flat", "d0") });
        took.push(performance.now() - begun);
        const found = answer.split('"fileName":').length - 1;
        must(found === ENTRIES, `${found} of ${ENTRIES} entries were listed`);
      }
      return median(took);
    },
  },
  {
    name: "fs.copy2k",
    about: "fs/copy of 20 directories with 2,000 files of 1 KiB",
    unit: "ms",
    betterIs: "less",
    prepare: (scene) => scene.tree("copied", COPIED.directories, COPIED.filesEach, COPIED.size),
    async once(wire, scene) {
      // Stays until the end: ext4 is slow to give new files the places of those deleted in the last seconds, and
      // whoever came second would pay for the first.
      const name = scene.newName("copy");
      const paths = { sourcePath: scene.uri("copied"), destinationPath: scene.uri(name), recursive: true };
      const begun = performance.now();
      await wire.ask("fs/copy", paths);
      const took = performance.now() - begun;
      const last = scene.path(name, `d${COPIED.directories - 1}`, `f${COPIED.filesEach - 1}`);
      must(statSync(last).size === COPIED.size, "The last file is not whole");
      return took;
    },
  },
];

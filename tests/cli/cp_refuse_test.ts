import { expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "@std/path";
import { bytePath } from "../../cli/files/byte_path.ts";
import { farSide } from "../../cli/files/far_side.ts";
import { scanTree } from "../../cli/files/scan_tree.ts";
import type { FileSystem } from "../../lib/fs/file_system.ts";
import { localFileSystem } from "../../lib/fs/local/local_file_system.ts";
import { directory } from "./file_words.ts";

/** A server that says of a directory what it likes. */
function lyingServer(name: string, beyondCodex: boolean): FileSystem {
  return {
    ...localFileSystem,
    abilities: () => ({ beyondCodex }),
    readDirectory: () => [{ name, isDirectory: false, isFile: true, isSymlink: false }],
    walk: (_root, _options, sink) => {
      sink({ kind: "file", path: name });
      return { truncated: false };
    },
  };
}

const LEADING_OUT = ["../outside", "..", ".", "", "sub/../../outside", "/etc/passwd", "a\0b"];

for (const beyondCodex of [true, false]) {
  const server = beyondCodex ? "ours" : "a plain Codex server";
  test.each(LEADING_OUT)(
    `a name that leads elsewhere is refused, whoever tells it (${server}: %j)`,
    async (name) => {
      using dir = directory();
      mkdirSync(join(dir.path, "tree/sub"), { recursive: true });
      const files = lyingServer(name, beyondCodex);
      const side = await farSide({ name: "there", files, start: null, home: null });
      const problems: string[] = [];
      const tree = await scanTree(side, bytePath(join(dir.path, "tree")), {
        keepLinks: true,
        onProblem: ({ message }) => problems.push(message),
      });
      expect([...tree.files, ...tree.links, ...tree.directories].map(({ path }) => path)).toEqual([
        bytePath(""),
      ]);
      expect(problems).toEqual([
        expect.stringContaining(`the server names ${JSON.stringify(name)} as a file`),
      ]);
    },
  );
}

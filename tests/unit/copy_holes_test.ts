import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "@std/path";
import { localFileSystem } from "../../lib/fs/local/local_file_system.ts";

const PIECE = 128 * 1024;

function directory(): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), "holes-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** A file of pieces, each with something in it or a hole. */
function putPieces(path: string, pieces: readonly boolean[], tail = 0): void {
  const file = openSync(path, "w");
  ftruncateSync(file, pieces.length * PIECE + tail);
  pieces.forEach((isData, at) =>
    isData && writeSync(file, Buffer.alloc(PIECE, at + 1), 0, PIECE, at * PIECE)
  );
  closeSync(file);
}

const roomOf = (path: string) => statSync(path).blocks * 512;

const knowsHoles = (() => {
  using here = directory();
  putPieces(join(here.path, "hole"), [false, false, false, false]);
  return roomOf(join(here.path, "hole")) < PIECE;
})();
if (!knowsHoles) console.warn("Skipped: the file system of this machine's temporary directory has no holes");

test.skipIf(!knowsHoles)(
  "a copy has the same content and the same holes, whatever was there before",
  async () => {
    using here = directory();
    const [source, copy] = [join(here.path, "source"), join(here.path, "copy")];
    const pieces = fc.array(fc.boolean(), { minLength: 3, maxLength: 30 });
    const before = fc.option(fc.nat(30 * PIECE));
    await fc.assert(
      fc.asyncProperty(pieces, fc.nat(5_000), before, async (pieces, tail, before) => {
        putPieces(source, pieces, tail);
        rmSync(copy, { force: true });
        if (before !== null) writeFileSync(copy, Buffer.alloc(before, "old"));
        await localFileSystem.copy(source, copy, { recursive: false });
        expect(readFileSync(copy).equals(readFileSync(source))).toBe(true);
        expect(roomOf(copy)).toBeLessThanOrEqual(roomOf(source) + PIECE / 2);
      }),
      { numRuns: 60 },
    );
  },
  30_000,
);

test.skipIf(!knowsHoles)(
  "a hole of a terabyte is copied at once, and over what needs little room too",
  async () => {
    using here = directory();
    const [source, copy] = [join(here.path, "source"), join(here.path, "copy")];
    putPieces(source, [true, false, true], 2 ** 40);
    for (const before of ["", "old"]) {
      writeFileSync(copy, before);
      await localFileSystem.copy(source, copy, { recursive: false });
      expect(statSync(copy).size).toBe(statSync(source).size);
      expect(roomOf(copy)).toBeLessThan(4 * PIECE);
    }
  },
);

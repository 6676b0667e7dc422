import { expect, test } from "bun:test";
import fc from "fast-check";
import type { ByteString } from "../../lib/fs/local/native_bytes.ts";
import { SortedNames } from "../../lib/fs/local/sorted_names.ts";

async function firstOf(names: readonly string[], most: number): Promise<string[]> {
  const sorted = new SortedNames<{ name: ByteString }>(most);
  for (const name of names) {
    sorted.add({ name: name as ByteString });
    if (sorted.isUntidy) await sorted.tidy();
  }
  return (await sorted.all()).map(({ name }) => name);
}

const bytewise = (names: readonly string[]) => names.toSorted((a, b) => a < b ? -1 : a > b ? 1 : 0);

test("SortedNames gives the first of any names in the order of their bytes", async () => {
  const names = fc.array(fc.nat(99_999).map(String), { maxLength: 9_000, size: "max" });
  await fc.assert(
    fc.asyncProperty(names, fc.integer({ min: 1, max: 10_000 }), async (names, most) => {
      expect(await firstOf(names, most)).toEqual(bytewise(names).slice(0, most));
    }),
    { numRuns: 25 },
  );
}, 30_000);

test("SortedNames lets others have their turns while it sorts", async () => {
  const names = Array.from({ length: 60_000 }, (_, n) => `${n * 7_919 % 60_000}`);
  let turns = 0;
  let isOver = false;
  const count = () => {
    turns++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const sorted = await firstOf(names, 50_000);
  isOver = true;
  expect(sorted).toEqual(bytewise(names).slice(0, 50_000));
  expect(turns).toBeGreaterThan(10);
});

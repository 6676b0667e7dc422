import { expect, test } from "bun:test";
import fc from "fast-check";
import { writeResult } from "../../lib/wire/envelope.ts";
import {
  writeDirectoryEntry,
  writeReadDirectoryResult,
  writeWalkEntry,
  writeWalkError,
  writeWalkResult,
  WrittenList,
} from "../../lib/wire/fs_lists.ts";
import type { RequestId } from "../../lib/wire/envelope.ts";

const ID = "1" as RequestId;

function listOf<T>(entries: readonly T[], write: (entry: T) => string): WrittenList {
  const list = new WrittenList();
  for (const entry of entries) list.add(write(entry));
  return list;
}

test("a listing written entry by entry is what JSON.stringify would have written", () => {
  const entry = fc.record({
    fileName: fc.string({ unit: "binary" }),
    isDirectory: fc.boolean(),
    isFile: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 600, size: "max" }), (entries) => {
      const result = writeReadDirectoryResult(listOf(entries, writeDirectoryEntry));
      expect(writeResult(ID, result)).toBe(writeResult(ID, { entries }));
    }),
    { numRuns: 30 },
  );
});

test("a walk written item by item is what JSON.stringify would have written", () => {
  const path = fc.webPath().map((path) => `file:///root${path}`);
  const found = fc.record({ path, kind: fc.constantFrom("directory" as const, "file" as const) });
  const failed = fc.record({ path, message: fc.string({ unit: "binary" }) });
  fc.assert(fc.property(fc.array(found), fc.array(failed), fc.boolean(), (entries, errors, truncated) => {
    const result = writeWalkResult(
      listOf(entries, writeWalkEntry),
      listOf(errors, writeWalkError),
      truncated,
    );
    expect(writeResult(ID, result)).toBe(writeResult(ID, { entries, errors, truncated }));
  }));
});

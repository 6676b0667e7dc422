import { describe, expect, test } from "bun:test";
import {
  baseOf,
  type BytePath,
  bytePath,
  nativePath,
  parentOf,
  shownPath,
} from "../../cli/files/byte_path.ts";
import { planCopies } from "../../cli/files/copy_plan.ts";
import { parseOperand, wordBytes } from "../../cli/files/operand.ts";
import type { Kind } from "../../cli/files/side.ts";

const source = (word: string, kind: Kind = "file") => ({ operand: parseOperand(bytePath(word)), kind });
const destination = (word: string, kind: Kind | null) => ({ operand: parseOperand(bytePath(word)), kind });

/** Where each source goes, or the words of the refusal. */
function plan(
  words: ReturnType<typeof source>[],
  to: ReturnType<typeof destination>,
  recursive = true,
): string[] | string {
  try {
    return planCopies(words, to, recursive).map(({ target }) => target);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

describe("the plan of a copy", () => {
  test("gives one file its new name, or puts it into a directory that is there", () => {
    expect(plan([source("/a/f")], destination(":/b/g", null))).toEqual(["/b/g"]);
    expect(plan([source("/a/f")], destination(":/b/g", "file"))).toEqual(["/b/g"]);
    expect(plan([source("/a/f")], destination(":/b", "directory"))).toEqual(["/b/f"]);
    expect(plan([source("/a/f")], destination(":/b/", "directory"))).toEqual(["/b/f"]);
  });

  test("takes a slash behind the destination for a directory", () => {
    expect(plan([source("/a/f")], destination("/b/", null))).toBe("/b/ is not there");
    expect(plan([source("/a/f")], destination("/b/", "file"))).toBe("/b/ is not a directory");
    expect(plan([source("/a/d", "directory")], destination("/b/", null))).toEqual(["/b/"]);
  });

  test("puts a tree into a directory that is there, and its content only where the name is a dot", () => {
    expect(plan([source("/a/d/", "directory")], destination("/b", "directory"))).toEqual(["/b/d"]);
    expect(plan([source("/a/d/.", "directory")], destination("/b", "directory"))).toEqual(["/b"]);
    expect(plan([source("/a/d/..", "directory")], destination("/b", "directory"))).toEqual(["/b"]);
    expect(plan([source("/a/d", "directory")], destination("/b", null))).toEqual(["/b"]);
  });

  test("refuses a tree without -r, and one in the place of a file", () => {
    expect(plan([source("/a/d", "directory")], destination("/b", null), false)).toBe("/a/d is a directory");
    expect(plan([source("/a/d", "directory")], destination("/b", "file")))
      .toBe("cannot replace /b with the directory /a/d");
    expect(plan([source("/a/f/")], destination("/b", null))).toBe("/a/f/ is not a directory");
  });

  test("needs a directory for several sources, and a name of its own for each", () => {
    const two = [source("/a/f"), source("/a/g")];
    expect(plan(two, destination("/b", "directory"))).toEqual(["/b/f", "/b/g"]);
    expect(plan(two, destination("/b", "file"))).toBe("/b is not a directory");
    expect(plan(two, destination("/b", null))).toBe("/b is not a directory");
    expect(plan([source("/a/f"), source("/c/f")], destination("/b", "directory")))
      .toBe("/a/f and /c/f would both become /b/f");
  });

  test("lets one file through stdin and stdout, and nothing else", () => {
    expect(plan([source("/a/f")], destination("-", null))).toEqual([""]);
    expect(plan([source("-", "other")], destination(":/b", null))).toEqual(["/b"]);
    expect(plan([source("-", "other")], destination(":/b", "directory"))).toBe("stdin has no name");
    expect(plan([source("/a/d", "directory")], destination("-", null))).toBe("/a/d is a directory");
    expect(plan([source("/a/f"), source("/a/g")], destination("-", null))).toBe("`-` takes one source");
  });
});

describe("an operand", () => {
  test("is on the server behind a colon, a stream as a dash, and here otherwise", () => {
    expect(parseOperand(bytePath(":/a"))).toMatchObject({ kind: "there", path: "/a" });
    expect(parseOperand(bytePath("-"))).toMatchObject({ kind: "stream" });
    expect(parseOperand(bytePath("./:a"))).toMatchObject({ kind: "here", path: "./:a" });
    expect(parseOperand(bytePath("./-"))).toMatchObject({ kind: "here", path: "./-" });
  });

  test("has the bytes that the system was given", () => {
    const given = Buffer.from("exec-server\0cp\0\xff.txt\0:/b\0", "latin1");
    expect(wordBytes(["\u{fffd}.txt", ":/b"], () => given)).toEqual([
      "\xff.txt" as BytePath,
      ":/b" as BytePath,
    ]);
    expect(wordBytes(["a"], () => Buffer.alloc(0))).toEqual(["a" as BytePath]);
    // Where the system tells something else, the runtime's word stands.
    expect(wordBytes(["\u{fffd}"], () => Buffer.from("other\0"))).toEqual([bytePath("\u{fffd}")]);
  });
});

describe("a path of bytes", () => {
  test("comes back as it was, text or not", () => {
    for (const path of ["/a/é", "/\u{fffd}", Buffer.from([0x2f, 0xff, 0x0a])]) {
      expect(Buffer.from(nativePath(bytePath(path)) as string)).toEqual(Buffer.from(path as string));
    }
  });

  test("is cut where its names meet", () => {
    expect([baseOf("/a/b/"), baseOf("/"), baseOf("a")]).toEqual(["b", "", "a"] as BytePath[]);
    expect(["/a/b/", "/a", "/", "a"].map((path) => parentOf(path as BytePath))).toEqual(
      ["/a", "/", "/", "."] as BytePath[],
    );
  });

  test("is shown on one line", () => {
    expect(shownPath(bytePath("é\n\t\x1b[1m"))).toBe("é\\n\\t\\x1b[1m");
    expect(shownPath(bytePath(Buffer.from([0x61, 0xff])))).toBe("a\\xff");
  });
});

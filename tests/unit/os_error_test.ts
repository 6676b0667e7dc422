import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { osErrorCode, osErrorText, osErrorWords } from "../../lib/base/os_error.ts";

function errorOf(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error("It did not fail");
}

describe("errors of the system", () => {
  test("are worded as the system's own programs word them", () => {
    expect(osErrorText("ENOENT")).toBe("No such file or directory (os error 2)");
    expect(osErrorText("EACCES")).toBe("Permission denied (os error 13)");
    expect(osErrorText("EADDRINUSE")).toMatch(/^Address in use \(os error \d+\)$/);
  });

  test("without words of ours keep their name, and without a number have none", () => {
    expect(osErrorText("EPROTO")).toMatch(/^EPROTO \(os error \d+\)$/);
    expect(osErrorText("ENOTFOUND")).toBe("ENOTFOUND");
  });

  test("are told from errors of the runtime and of anybody else", () => {
    expect(osErrorCode(errorOf(() => readFileSync("/no/such/file")))).toBe("ENOENT");
    expect(osErrorCode(errorOf(() => readFileSync("a\0b")))).toBeNull();
    for (const error of [new Error("x"), { code: "ENOENT" }, "ENOENT", null, undefined]) {
      expect(osErrorCode(error)).toBeNull();
    }
  });

  test("are put into words where the system had a part, and others keep theirs", () => {
    expect(osErrorWords(errorOf(() => readFileSync("/")))).toBe("Is a directory (os error 21)");
    expect(osErrorWords(new Error("nobody knows"))).toBe("nobody knows");
    expect(osErrorWords("thrown as text")).toBe("thrown as text");
  });
});

import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { type Arch, syscallNames, syscallNumber } from "../../lib/sandbox/numbers.ts";

/** Where distributions keep the numbers; arm64 uses the generic ones. */
const HEADERS: Record<Arch, readonly string[]> = {
  x64: ["/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "/usr/include/asm/unistd_64.h"],
  arm64: [
    "/usr/include/asm-generic/unistd.h",
    "/usr/include/aarch64-linux-gnu/asm/unistd_64.h",
    "/usr/aarch64-linux-gnu/include/asm-generic/unistd.h",
  ],
};

/** The system's names and numbers; some names stand for other names. */
function numbersIn(header: string): (name: string) => number | undefined {
  const meanings = new Map<string, string>();
  for (const [, name, meaning] of readFileSync(header, "utf8").matchAll(/^#define\s+(__NR\w+)\s+(\w+)/gm)) {
    if (name !== undefined && meaning !== undefined) meanings.set(name, meaning);
  }
  return (name) => {
    let meaning = meanings.get(`__NR_${name}`);
    while (meaning?.startsWith("__NR")) meaning = meanings.get(meaning);
    return meaning === undefined ? undefined : Number(meaning);
  };
}

describe("the numbers of system calls", () => {
  for (const arch of ["x64", "arm64"] as const) {
    const header = HEADERS[arch].find((path) => existsSync(path));
    const reason = header === undefined ? " (skipped: no kernel headers here)" : "";
    test.skipIf(header === undefined)(`for ${arch} are those of the kernel's headers${reason}`, () => {
      const number = numbersIn(header ?? "");
      const ours = Object.fromEntries(syscallNames().map((name) => [name, syscallNumber(name, arch)]));
      const theirs = Object.fromEntries(syscallNames().map((name) => [name, number(name)]));
      expect(ours).toEqual(theirs as typeof ours);
    });

    test(`for ${arch} differ from name to name`, () => {
      const numbers = syscallNames().map((name) => syscallNumber(name, arch));
      expect(new Set(numbers).size).toBe(numbers.length);
    });
  }
});

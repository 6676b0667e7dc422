import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { findProgram } from "../../lib/process/local/find_program.ts";
import { scratchDirectory } from "../support/peer_system.ts";

/** Three directories: one with a program, one with a file of that name that may not be run, one with a directory. */
function places() {
  const directory = scratchDirectory();
  const { path } = directory;
  for (const name of ["has", "refuses", "confuses"]) mkdirSync(`${path}/${name}`);
  writeFileSync(`${path}/has/tool`, "");
  chmodSync(`${path}/has/tool`, 0o755);
  writeFileSync(`${path}/refuses/tool`, "");
  chmodSync(`${path}/refuses/tool`, 0o644);
  mkdirSync(`${path}/confuses/tool`);
  return { path, [Symbol.dispose]: () => directory[Symbol.dispose]() };
}

describe("findProgram()", () => {
  test("a name with a slash is taken as it is, whether it is there or not", () => {
    for (const name of ["/no/such", "./x", "a/b", "../x", "/"]) {
      expect(findProgram(name, undefined, "/")).toEqual({ program: name });
    }
  });

  test("takes the first place that has it, and passes by files and directories that cannot be run", () => {
    using found = places();
    const { path } = found;
    const all = `${path}/missing:${path}/refuses:${path}/confuses:${path}/has:/bin`;
    expect(findProgram("tool", all, "/")).toEqual({ program: `${path}/has/tool` });
  });

  test("tells what was there but could not be run, when nothing else was", () => {
    using found = places();
    const { path } = found;
    expect(findProgram("tool", `${path}/refuses:${path}/missing:${path}/confuses`, "/")).toEqual({
      refused: [`${path}/refuses/tool`, `${path}/confuses/tool`],
    });
    expect(findProgram("other", path, "/")).toEqual({ refused: [] });
  });

  test("empty and relative places begin at the child's directory, and the answer stays relative to it", () => {
    using found = places();
    const { path } = found;
    expect(findProgram("tool", "", `${path}/has`)).toEqual({ program: "./tool" });
    expect(findProgram("tool", "/nowhere:", `${path}/has`)).toEqual({ program: "./tool" });
    expect(findProgram("tool", "has", path)).toEqual({ program: "has/tool" });
    expect(findProgram("tool", "has", "/")).toEqual({ refused: [] });
  });

  test("without a PATH searches where the C library does", () => {
    expect(findProgram("sh", undefined, "/")).toEqual({ program: "/bin/sh" });
  });

  test("follows links, and a link to nowhere is not there", () => {
    using found = places();
    const { path } = found;
    symlinkSync(`${path}/has/tool`, `${path}/link`);
    symlinkSync(`${path}/nowhere`, `${path}/dangling`);
    expect(findProgram("link", path, "/")).toEqual({ program: `${path}/link` });
    expect(findProgram("dangling", path, "/")).toEqual({ refused: [] });
  });
});

import { describe, expect, test } from "bun:test";
import { projectFiles, readProjectFile } from "./project_files.ts";

// Written so that no pattern finds itself.
const BANNED: readonly { what: string; pattern: RegExp }[] = [
  {
    what: "a path of a build machine",
    pattern: /(?<![\w.~}-])\/(?:work|root|home\/[\w.-]+|tmp\/scratch)\/[\w.-]*/g,
  },
  {
    what: "the host of a package registry",
    pattern: /\b(?:registry|npm|jsr|deb|pypi|proxy)\.[\w-]+\.(?:org|com|io|dev|net)\b/g,
  },
  { what: "the host of a package registry", pattern: /\bjsr\.io\b/g },
];

function bannedIn(text: string): string[] {
  return BANNED.flatMap(({ what, pattern }) =>
    [...text.matchAll(pattern)].map(([found]) => `${found} is ${what}`)
  );
}

describe("the words of the project", () => {
  test("say nothing of the machine it was made on", async () => {
    const findings = await Promise.all(
      (await projectFiles()).map(async (path) =>
        bannedIn(await readProjectFile(path)).map((finding) => `${path}: ${finding}`)
      ),
    );
    expect(findings.flat()).toEqual([]);
  });

  test("are searched in every kind of file", async () => {
    const files = await projectFiles();
    for (
      const path of ["deno.json", "deno.lock", ".ci/run", ".gitignore", "README.md", "main.ts", "LICENSE"]
    ) {
      expect(files).toContain(path);
    }
  });

  test.each(["work", "root", "home/someone"])("may not name a place under /%s", (top) => {
    expect(bannedIn(`cd /${top}/code && make`)).toEqual([`/${top}/code is a path of a build machine`]);
  });

  test("may not name a registry", () => {
    const host = ["registry", "somewhere", "org"].join(".");
    expect(bannedIn(`https://${host}/package`)).toEqual([`${host} is the host of a package registry`]);
  });

  test("may name what only looks like it", () => {
    expect(bannedIn("tests/work/a.ts $HOME/work/ registry.get(session) npm:zod ~/root/x HOME=/home/x"))
      .toEqual([]);
  });
});

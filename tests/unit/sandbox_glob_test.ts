import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { writeFileSync } from "node:fs";
import { below, isMatch, segmentsOf, start, withoutBraces } from "../../lib/sandbox/glob.ts";
import { MAX_MATCHES } from "../../lib/sandbox/glob_scan.ts";
import { glob, SandboxTree, special } from "../support/sandbox_tree.ts";

function matches(pattern: string, path: string): boolean {
  return withoutBraces(pattern).some((one) => {
    const segments = segmentsOf(one);
    return isMatch(
      segments,
      path.split("/").reduce((at, name) => below(segments, at, name), start(segments)),
    );
  });
}

const ALL = special("root", "read");

describe("a glob", () => {
  test("matches what Codex's matches", () => {
    const table: [pattern: string, yes: string[], no: string[]][] = [
      ["*.env", ["x.env", ".env"], ["a/x.env", "x.env2", "X.ENV"]],
      ["**/*.env", ["x.env", "a/x.env", "a/b/.env"], ["a/x"]],
      ["a/**", ["a/x", "a/b/x"], ["b/x"]],
      ["a/**/x", ["a/x", "a/b/c/x"], ["x", "a/b"]],
      ["**/a/**/x", ["a/x", "b/a/c/x"], ["b/x"]],
      ["**x", ["x", "ax"], ["a/x"]],
      ["a**/x", ["ab/x"], ["a/b/x"]],
      ["?.env", ["x.env", "é.env"], [".env", "xy.env"]],
      ["[xy].env", ["x.env"], ["z.env", "[.env"]],
      ["[!y].env", ["x.env"], ["y.env"]],
      ["[^y].env", ["x.env"], ["y.env"]],
      ["[a-cx].env", ["b.env", "x.env"], ["d.env"]],
      ["[a-].env", ["a.env", "-.env"], ["b.env"]],
      ["[]x].env", ["].env", "x.env"], ["y.env"]],
      ["a[1*", ["a[1.env"], ["a1"]],
      ["a\\[1\\]*", ["a[1].env"], ["a1.env"]],
      ["\\**", ["*x"], ["x"]],
      ["{a,b/c}*", ["a1", "b/c1"], ["c1"]],
      ["{a,{b,c}d}*", ["a", "bd", "cd"], ["d"]],
      ["{a*", ["{ab"], ["ab"]],
      ["./*.env", ["x.env"], []],
      ["*", [".hidden"], ["a/b"]],
    ];
    for (const [pattern, yes, no] of table) {
      for (const path of yes) expect([pattern, path, matches(pattern, path)]).toEqual([pattern, path, true]);
      for (const path of no) expect([pattern, path, matches(pattern, path)]).toEqual([pattern, path, false]);
    }
  });

  test("agrees with a regular expression about names", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "*", "?"), maxLength: 8 });
    fc.assert(
      fc.property(
        text,
        fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1, maxLength: 8 }),
        (pattern, name) => {
          fc.pre(pattern !== "" && pattern !== "**");
          const expected = new RegExp(`^${pattern.replaceAll("*", ".*").replaceAll("?", ".")}$`).test(name);
          expect(matches(pattern, name)).toBe(expected);
        },
      ),
    );
  });

  test("cannot be made to try for ever", () => {
    expect(matches(`${"*a".repeat(100)}b`, "a".repeat(250))).toBe(false);
    expect(matches("**/".repeat(100) + "b", "a/".repeat(100) + "a")).toBe(false);
    expect(() => withoutBraces("{a,b}".repeat(20))).toThrow("more than 64 patterns");
  });
});

describe("resolveRules() with globs", () => {
  const denied = (tree: SandboxTree, pattern: string, globScanMaxDepth?: number) =>
    tree.foundMounts([ALL, glob(pattern)], globScanMaxDepth === undefined ? {} : { globScanMaxDepth });

  test("denies the files that match now, and no directory", async () => {
    using tree = new SandboxTree("w/x.env", "w/a/x.env", "w/a/dir.env/f", "w/.git/x.env", "o/x.env");
    const all = ["deny-file w/x.env", "deny-file w/.git/x.env", "deny-file w/a/x.env"];
    expect(await denied(tree, "codex-project-roots://**/*.env")).toEqual(all);
    expect(await denied(tree, "**/*.env")).toEqual(all);
    expect(await denied(tree, `${tree.at("w")}/**/*.env`)).toEqual(all);
    expect(await denied(tree, "{*,a/*}.env")).toEqual(["deny-file w/x.env", "deny-file w/a/x.env"]);
    expect(await tree.foundMounts([ALL, glob("**", "read"), glob("**", "write")])).toEqual([]);
    expect(await tree.foundMounts([ALL, glob("codex-project-roots://**")], { workspaceRoots: [] })).toEqual(
      [],
    );
  });

  test("looks no deeper than it was told", async () => {
    using tree = new SandboxTree("w/1", "w/a/2", "w/a/b/3");
    expect(await denied(tree, "**", 1)).toEqual(["deny-file w/1"]);
    expect(await denied(tree, "**", 2)).toEqual(["deny-file w/1", "deny-file w/a/2"]);
    expect(await denied(tree, "a*/*", 1)).toEqual([]);
    // Counted from where the choice begins.
    expect(await denied(tree, "a/b/*", 1)).toEqual(["deny-file w/a/b/3"]);
  });

  test("denies what a matching symlink leads to, and does not walk through it", async () => {
    using tree = new SandboxTree(
      "w/in/",
      "w/l.env -> ../o/secret",
      "w/dir.env -> ../o",
      "w/gone.env -> nope",
      "o/secret",
      "o/x.env",
    );
    expect(await denied(tree, "**/*.env")).toEqual(["deny-file o/secret"]);
  });

  test("takes names as they are, not as patterns and not as texts", async () => {
    using tree = new SandboxTree("w/[a]/x");
    const odd = Buffer.concat([Buffer.from(tree.at("w/[a]/")), Buffer.from([0xff]), Buffer.from(".env")]);
    writeFileSync(odd, "");
    expect((await tree.found([ALL, glob("*.env")], { cwd: tree.at("w/[a]") })).mounts)
      .toEqual([{ kind: "deny-file", path: odd.toString("latin1") }]);
  });

  test("is a path like others where it leaves no choice", async () => {
    using tree = new SandboxTree("w/a/", "w/x");
    expect(await denied(tree, "a")).toEqual(["deny-directory w/a"]);
    expect(await denied(tree, "codex-project-roots://x")).toEqual(["deny-file w/x"]);
    expect(await tree.foundMounts([ALL, tree.path("w", "write"), glob("gone")])).toContain("absent w/gone");
  });

  test("refuses what would be the whole machine, or a slip", async () => {
    using tree = new SandboxTree("w/");
    for (
      const pattern of [
        "/**/*.env",
        "/*",
        "/",
        "",
        "codex-project-roots://",
        "codex-project-roots:///a/*",
        ".",
      ]
    ) {
      expect(await tree.foundRefusal([ALL, glob(pattern)])).toContain("no directory at its beginning");
    }
    for (const pattern of ["../*", "a/../*", "/a/../*"]) {
      expect(await tree.foundRefusal([ALL, glob(pattern)])).toBe("glob with `..`");
    }
    expect(await tree.foundRefusal([ALL, glob("*")], { cwd: null })).toBe("a relative glob without a cwd");
  });

  test("refuses a directory that the command could lead elsewhere", async () => {
    using tree = new SandboxTree("w/out -> ../o", "o/f");
    expect(await tree.foundRefusal([ALL, tree.path("w", "write"), glob("out/*")]))
      .toBe("denied path w/out crosses writable symlink w/out");
    expect(await tree.foundMounts([ALL, glob("out/*")])).toEqual(["deny-file o/f"]);
  });

  test("refuses more matches than can be denied, those of all patterns together", async () => {
    using tree = new SandboxTree("w/");
    const files = 128;
    for (let count = 0; count < files; count++) tree.add(`w/${count}`);
    const allowed = Array.from({ length: MAX_MATCHES / files }, () => glob("*"));
    expect(await tree.foundMounts([ALL, ...allowed])).toHaveLength(files);
    expect(await tree.foundRefusal([ALL, ...allowed, glob("0*")])).toBe(
      "deny globs match more than 8192 files",
    );
  });
});

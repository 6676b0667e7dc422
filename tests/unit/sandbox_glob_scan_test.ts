import { describe, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import type { Freshness } from "../../lib/sandbox/glob_matches.ts";
import { matchesOf } from "../../lib/sandbox/glob_matches.ts";
import { segmentsOf } from "../../lib/sandbox/glob.ts";
import { SandboxTree } from "../support/sandbox_tree.ts";

const claim = (tree: SandboxTree, pattern: string) => ({ base: tree.at("w"), segments: segmentsOf(pattern) });

async function namesOf(tree: SandboxTree, freshness: Freshness, pattern = "**/*.env"): Promise<string[]> {
  const [found] = await matchesOf([claim(tree, pattern)], null, freshness);
  return found!.matches.map(({ path, isLink }) =>
    `${isLink ? "link " : ""}${path.slice(tree.at("w/").length)}`
  )
    .sort();
}

/** Names that take the pattern long to tell that they do not fit. */
function hard(files: number): { tree: SandboxTree; pattern: string } {
  const tree = new SandboxTree("w/");
  const name = "a".repeat(240);
  for (let count = 0; count < files; count++) tree.add(`w/${name}${count}`);
  return { tree, pattern: `${"*a".repeat(60)}b` };
}

describe("the search for what a deny glob means", () => {
  test("lets others have their turns", async () => {
    const { tree, pattern } = hard(2_000);
    using _ = tree;
    let turns = 0;
    let isOver = false;
    const take = () => {
      turns++;
      if (!isOver) setImmediate(take);
    };
    setImmediate(take);
    expect(await namesOf(tree, "new", pattern)).toEqual([]);
    isOver = true;
    expect(turns).toBeGreaterThan(5);
  });

  test("ends when it has taken too long", async () => {
    const { tree, pattern } = hard(500);
    using _ = tree;
    const found = matchesOf([claim(tree, pattern)], null, "new", 1);
    expect(found).rejects.toThrow("deny globs take more than 0.001 seconds to expand");
    await found.catch(() => {});
  });

  test("finds everything in a directory that is listed in many pieces", async () => {
    const names = Array.from({ length: 3_000 }, (_, count) => `${"long".repeat(20)}${count}.env`);
    using tree = new SandboxTree(...names.map((name) => `w/${name}`));
    expect(await namesOf(tree, "new")).toEqual(names.sort());
  });

  test("may be as old as a moment where that will do, without what has gone meanwhile", async () => {
    using tree = new SandboxTree("w/a.env", "w/b.env", "w/c.env", "w/d.env");
    expect(await namesOf(tree, "recent")).toHaveLength(4);
    tree.add("w/new.env");
    for (const name of ["a.env", "b.env", "c.env"]) rmSync(tree.at(`w/${name}`));
    tree.add("w/b.env/");
    tree.add("w/c.env -> d.env");
    const later = namesOf(tree, "recent");
    expect(await later).toEqual(["d.env", "link c.env"]);
    expect(await namesOf(tree, "new")).toEqual(["d.env", "link c.env", "new.env"]);
    expect(await namesOf(tree, "recent", "**/n*.env")).toEqual(["new.env"]);
  });

  test("is not remembered where it failed", async () => {
    const { tree, pattern } = hard(500);
    using _ = tree;
    await matchesOf([claim(tree, pattern)], null, "recent", 1).catch(() => {});
    expect(await namesOf(tree, "recent", pattern)).toEqual([]);
  });
});

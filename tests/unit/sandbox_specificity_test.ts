import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Access } from "../../lib/sandbox/intent.ts";
import { PROTECTED_NAMES } from "../../lib/sandbox/protected_names.ts";
import type { BytePath } from "../../lib/sandbox/byte_path.ts";
import { accessByMounts, SandboxTree, special } from "../support/sandbox_tree.ts";

const NAMES = ["a", "b"];
/** All directories of three levels, with a file in each. */
const DIRECTORIES = ["", ...NAMES, ...pairs(NAMES, NAMES), ...pairs(pairs(NAMES, NAMES), NAMES)];

function pairs(parents: readonly string[], names: readonly string[]): string[] {
  return parents.flatMap((parent) => names.map((name) => `${parent}/${name}`));
}

const STRENGTH = ["read", "write", "deny"] as const;
type Said = readonly [path: string, access: Access];

/** Of what holds the path the deepest decides; of several the strongest; a protected name is not written. */
function meant(said: readonly Said[], base: Access, path: string): Access {
  // Then nothing is left to be protected from.
  if (base === "write" && said.every(([, access]) => access === "write")) return "write";
  const parts = path.split("/").filter((part) => part !== "");
  for (let depth = parts.length; depth >= 0; depth--) {
    const at = parts.slice(0, depth).join("/");
    const here = said.filter(([name]) => name === at).map(([, access]) => access);
    const strongest = STRENGTH.findLast((access) => here.includes(access));
    if (strongest !== undefined) return strongest;
    const isProtected = PROTECTED_NAMES.some((name) => at === name || at.endsWith(`/${name}`));
    const parent = parts.slice(0, depth - 1).join("/");
    if (isProtected && said.some(([name]) => name === parent)) {
      if (meant(said, base, parent) === "write") return "read";
    }
  }
  return base;
}

test("the mounts give to each path what the most specific entries say of it, whatever their order", () => {
  using tree = new SandboxTree(...DIRECTORIES.map((directory) => `top/${directory}/f`));
  const claim = fc.tuple(
    fc.constantFrom(...DIRECTORIES, ...pairs(DIRECTORIES, ["f"]).map((path) => path.replace(/^\//, ""))),
    fc.constantFrom<Access>("read", "write", "deny"),
  );
  const bases = fc.constantFrom<Access>("read", "deny", "write");
  const files = pairs(DIRECTORIES, ["f", "g", ".git", ".codex"]).map((path) => path.replace(/^\//, ""));
  const fullPath = (path: string): BytePath => path === "" ? tree.at("top") : tree.at(`top/${path}`);
  fc.assert(
    fc.property(fc.array(claim, { maxLength: 8 }), bases, (said, base) => {
      const rules = tree.rules([
        special("root", base),
        ...said.map(([path, access]) => tree.path(path === "" ? "top" : `top/${path}`, access)),
      ]);
      for (const path of [...DIRECTORIES, ...files]) {
        const asked = accessByMounts(rules, fullPath(path));
        if (asked !== meant(said, base, path)) {
          throw new Error(`${path || "top"} is ${asked}, not ${meant(said, base, path)}`);
        }
      }
      // Parents first, none twice.
      const depths = rules.mounts.map(({ path }) => path === "/" ? 0 : path.split("/").length);
      expect(depths).toEqual([...depths].sort((one, other) => one - other));
      expect(new Set(rules.mounts.map(({ path }) => path)).size).toBe(rules.mounts.length);
    }),
    { numRuns: 300 },
  );
});

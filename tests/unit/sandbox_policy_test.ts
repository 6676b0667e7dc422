import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdtempSync, rmdirSync } from "node:fs";
import { couldMakeIn } from "../../lib/sandbox/could_make.ts";
import { resolveRules } from "../../lib/sandbox/policy.ts";
import { PROTECTED_NAMES } from "../../lib/sandbox/protected_names.ts";
import { glob, SandboxTree, special } from "../support/sandbox_tree.ts";

const ALL = special("root", "read");
const protectedIn = (root: string) =>
  [...PROTECTED_NAMES].sort().map((name) => `absent ${root === "" ? "" : `${root}/`}${name}`);

function canMakeIn(directory: string): boolean {
  try {
    rmdirSync(mkdtempSync(directory));
    return true;
  } catch {
    return false;
  }
}

describe("resolveRules()", () => {
  test("confines nothing but the network where all may be written", () => {
    using tree = new SandboxTree("w/");
    const open = { view: "whole-write", mounts: [], links: [], whole: { read: true, write: true } };
    const unrestricted = { ...tree.intent([]), files: { type: "unrestricted" } as const };
    expect(resolveRules(unrestricted, {})).toMatchObject({ ...open, network: "restricted" });
    for (
      const entries of [
        [special("root", "write")],
        [special("root", "write"), ALL, special("minimal", "read"), tree.path("w", "write")],
        [special("root", "write"), special("unknown", "deny"), glob("*", "read")],
      ]
    ) expect(tree.rules(entries, { network: "enabled" })).toMatchObject({ ...open, network: "enabled" });
  });

  test("leaves the view writable where all may be written but for something, and then protects its top", () => {
    using tree = new SandboxTree("w/");
    const rules = tree.rules([special("root", "write"), tree.path("w", "read")]);
    expect(rules).toMatchObject({ view: "whole-read", whole: { read: true, write: false } });
    expect(rules.mounts[0]).toEqual({ kind: "write", path: "/" });
    expect(rules.mounts).toContainEqual({ kind: "read", path: tree.at("w") });
    // Whoever could not make it, could not make it inside either.
    expect(rules.mounts.some(({ path }) => path === "/.codex")).toBe(
      existsSync("/.codex") || couldMakeIn("/"),
    );
    // The path is no promise that all is meant.
    expect(tree.rules([{ ...ALL, path: { kind: "path", path: "/" }, access: "write" }]).whole.write).toBe(
      false,
    );
  });

  test("shows everything read-only, and nothing where nothing was said", () => {
    using tree = new SandboxTree("w/f");
    expect(tree.rules([ALL])).toMatchObject({
      view: "whole-read",
      mounts: [],
      whole: { read: true, write: false },
    });
    for (const entries of [[], [special("root", "deny")], [special("root", "deny"), ALL]]) {
      expect(tree.rules(entries)).toMatchObject({ view: "minimal", mounts: [], whole: { read: false } });
    }
    expect(tree.rules([ALL, tree.path("w/f", "deny")]).whole.read).toBe(false);
    expect(tree.rules([ALL, special("unknown", "deny")]).whole.read).toBe(true);
  });

  test("opens workspace roots with what is protected in them, whether it is there or not", () => {
    using tree = new SandboxTree("w/.git/config", "w/.codex", "w/deep/.git/config");
    const writeRoots = special("project_roots", "write");
    expect(tree.mounts([ALL, writeRoots])).toEqual([
      "write w",
      "absent w/.agents",
      "absent w/.aws",
      "read w/.codex",
      "read w/.git",
    ]);
    expect(tree.mounts([ALL, writeRoots], { workspaceRoots: [] })).toEqual([]);
    expect(tree.mounts([ALL, writeRoots], { workspaceRoots: [tree.at("gone")] })).toEqual([]);
    expect(tree.mounts([ALL, tree.path("w/deep", "write")])).toContain("read w/deep/.git");
    // A file has no names in it.
    expect(tree.mounts([ALL, tree.path("w/.codex", "write")])).toEqual(["write w/.codex"]);
  });

  test("lets a protected name be written that was asked for by name, there or not", () => {
    using tree = new SandboxTree("w/.git/hooks/");
    const write = tree.path("w", "write");
    const gitIn = (mounts: string[]) => mounts.filter((mount) => mount.includes(" w/.git"));
    expect(gitIn(tree.mounts([ALL, write, tree.path("w/.git", "write")]))[0]).toBe("write w/.git");
    expect(gitIn(tree.mounts([ALL, write, tree.path("w/.git/hooks", "write")])).slice(0, 2))
      .toEqual(["read w/.git", "write w/.git/hooks"]);
    expect(tree.mounts([ALL, write, tree.path("w/.aws", "write")])).not.toContain("absent w/.aws");
    expect(tree.mounts([ALL, write, tree.path("w/.aws", "write"), tree.path("w/.aws", "read")]))
      .not.toContain("absent w/.aws");
    expect(tree.mounts([ALL, write, tree.path("w/.aws", "write"), tree.path("w/.aws", "deny")]))
      .toContain("absent w/.aws");
  });

  test("protects what a .git file points to, be it elsewhere, reached by `..` or not there yet", () => {
    using tree = new SandboxTree("w/f", "store/x/");
    const write = (name: string) => tree.path(name, "write");
    const mountsWith = (gitFile: string, ...more: string[]) => {
      tree.add("w/.git", gitFile);
      return tree.mounts([ALL, write("w"), write("store"), ...more.map(write)]).filter((mount) =>
        /store\/x|gone|\.git$/.test(mount)
      );
    };
    const theirs = "absent store/.git";
    expect(mountsWith("gitdir: ../store/x\n")).toEqual([theirs, "read store/x", "read w/.git"]);
    expect(mountsWith(`gitdir: ${tree.at("store/x")}`)).toEqual([theirs, "read store/x", "read w/.git"]);
    expect(mountsWith("gitdir: gone/x\n")).toEqual([theirs, "read w/.git", "absent w/gone"]);
    expect(mountsWith("nothing of the kind")).toEqual([theirs, "read w/.git"]);
    // Asked for by its name.
    expect(mountsWith("gitdir: ../store/x\n", "store/x")).toContain("write store/x");
    expect(mountsWith("gitdir: ../store/x\n", "w/.git")).toContain("read store/x");
  });

  test("reads no .git that would never end", () => {
    using tree = new SandboxTree("w/");
    Bun.spawnSync(["mkfifo", tree.at("w/.git")]);
    expect(tree.mounts([ALL, tree.path("w", "write")])).toContain("read w/.git");
  });

  test("takes the strongest of what is said of one path, in any order and by any name", () => {
    using tree = new SandboxTree("w/", "alias -> w");
    const said = (...pairs: ["w" | "alias", "read" | "write" | "deny"][]) =>
      tree.mounts([ALL, ...pairs.map(([name, access]) => tree.path(name, access))]).filter((mount) =>
        !mount.startsWith("absent")
      );
    expect(said(["w", "read"], ["alias", "write"])).toEqual(["write w"]);
    expect(said(["alias", "write"], ["w", "read"])).toEqual(["write w"]);
    expect(said(["w", "deny"], ["alias", "write"], ["w", "read"])).toEqual(["deny-directory w"]);
  });

  test("opens again what is more specific, and names it to the directory that hides it", () => {
    using tree = new SandboxTree("w/a/b/c/f", "w/a/g");
    const { mounts } = tree.rules([
      ALL,
      tree.path("w", "write"),
      tree.path("w/a", "deny"),
      tree.path("w/a/g", "read"),
      tree.path("w/a/b/c", "write"),
      tree.path("w/a/b/c/f", "deny"),
    ]);
    expect(mounts).toContainEqual({
      kind: "deny-directory",
      path: tree.at("w/a"),
      reopened: [tree.at("w/a/g"), tree.at("w/a/b/c")],
    });
    expect(mounts).toContainEqual({ kind: "deny-file", path: tree.at("w/a/b/c/f") });
    expect(mounts).toContainEqual({ kind: "absent", path: tree.at("w/a/b/c/.git") });
  });

  test("mounts nothing that changes nothing", () => {
    using tree = new SandboxTree("w/a/b/");
    expect(tree.mounts([ALL, tree.path("w", "read"), tree.path("w/a/b", "read")])).toEqual([]);
    expect(tree.mounts([tree.path("w", "deny")])).toEqual([]);
    expect(tree.mounts([ALL, tree.path("w", "deny"), tree.path("w/a", "deny")])).toEqual([
      "deny-directory w",
    ]);
  });

  test("forbids to make what must not be there, from the first name that is missing", () => {
    using tree = new SandboxTree("w/", "o/");
    const gone = (name: string, access: "read" | "deny") =>
      tree.mounts([ALL, tree.path("w", "write"), tree.path(name, access)]).filter((mount) =>
        !mount.startsWith("absent w/.")
      );
    expect(gone("w/x", "deny")).toEqual(["write w", "absent w/x"]);
    expect(gone("w/x/y/z", "read")).toEqual(["write w", "absent w/x"]);
    // Nothing can be made there anyway.
    expect(gone("o/x", "deny")).toEqual(["write w"]);
    const skipped = { ...tree.path("w/x", "read"), skipIfMissing: true };
    expect(tree.mounts([ALL, tree.path("w", "write"), skipped])).toContain("absent w/x");
  });

  test("holds the directories above what must stay where it is", async () => {
    using tree = new SandboxTree("w/a/b/c/f", "w/x/y/");
    const open = (mounts: string[]) => mounts.filter((mount) => !mount.includes("/."));
    const write = tree.path("w", "write");
    expect(open(tree.mounts([ALL, write, tree.path("w/a/b/c", "read")])))
      .toEqual(["write w", "write w/a", "write w/a/b", "read w/a/b/c"]);
    expect(open(tree.mounts([ALL, write, tree.path("w/x/y/z", "deny")])))
      .toEqual(["write w", "write w/x", "write w/x/y", "absent w/x/y/z"]);
    // Its .git would be another one.
    expect(open(tree.mounts([ALL, write, tree.path("w/x/y", "write")])))
      .toEqual(["write w", "write w/x", "write w/x/y"]);
    // The mask goes with the file, wherever that goes.
    expect(open(await tree.foundMounts([ALL, write, glob("a/b/c/*")])))
      .toEqual(["write w", "deny-file w/a/b/c/f"]);
  });

  test("puts nothing in the way where nothing can be made", () => {
    expect(couldMakeIn("/")).toBe(canMakeIn("/"));
    using tree = new SandboxTree("w/");
    chmodSync(tree.at("w"), 0o500);
    // Its owner could change that.
    expect(couldMakeIn(tree.at("w"))).toBe(true);
  });

  test("refuses what is below a file, unless it may be missing", () => {
    using tree = new SandboxTree("w/f");
    const below = tree.path("w/f/x", "deny");
    expect(tree.refusal([ALL, tree.path("w", "write"), below])).toBe(
      "denied path w/f/x cannot be reached: ENOTDIR at w/f/x",
    );
    expect(tree.mounts([ALL, below])).toEqual([]);
    expect(tree.mounts([ALL, tree.path("w", "write"), { ...below, skipIfMissing: true }]))
      .toEqual(["write w", ...protectedIn("w")]);
  });

  test("refuses to protect by a name that the command could lead elsewhere", () => {
    using tree = new SandboxTree(
      "w/a/",
      "w/in -> a",
      "w/out -> ../o",
      "o/f",
      "w/loop -> loop",
      "w/gone -> nope",
    );
    const refused = (name: string, access: "read" | "deny") =>
      tree.refusal([ALL, tree.path("w", "write"), tree.path(name, access)]);
    expect(refused("w/out/f", "deny")).toBe("denied path w/out/f crosses writable symlink w/out");
    expect(refused("w/in", "read")).toBe("read-only path w/in crosses writable symlink w/in");
    for (const name of ["w/out", "w/loop", "w/gone", "w/gone/x"]) {
      expect(refused(name, "deny")).toContain("crosses writable symlink");
    }
    expect(tree.mounts([ALL, tree.path("w/out/f", "deny")])).toEqual(["deny-file o/f"]);
  });

  test("refuses a protected name that is a symlink in what may be written", () => {
    using tree = new SandboxTree("w/.git -> ../o", "o/");
    expect(tree.refusal([ALL, tree.path("w", "write")]))
      .toBe("read-only path w/.git crosses writable symlink w/.git");
    expect(tree.refusal([ALL, tree.path("w", "write"), tree.path("w/.git", "write")]))
      .toBe("writable path w/.git crosses writable symlink w/.git");
  });

  test("lets nothing be written by way of a link that an earlier command could have made", () => {
    using tree = new SandboxTree("w/a/", "w/in -> a", "w/out -> ../o", "w/git -> .git", "w/.git/", "o/p/");
    const write = (...names: string[]) => [ALL, ...names.map((name) => tree.path(name, "write"))];
    expect(tree.refusal(write("w", "w/out")))
      .toBe("writable path w/out crosses writable symlink w/out");
    expect(tree.refusal(write("w", "w/out/p"))).toContain("writable path w/out/p crosses writable symlink");
    expect(tree.refusal(write("w", "w/git"))).toContain("crosses writable symlink w/git");
    const temporary = [ALL, tree.path("w", "write"), special("tmpdir", "write")];
    expect(tree.refusal(temporary, {}, { TMPDIR: tree.at("w/out") })).toContain("crosses writable symlink");
    // It gives nothing that is not given anyway.
    expect(tree.mounts(write("w", "w/in"))).toContain("write w/a");
    expect(tree.mounts(write("w", "o", "w/out/p"))).toContain("write o/p");
    // And one that stands where no command writes is as good as a name.
    expect(tree.mounts(write("w/out"))).toEqual(["write o", ...protectedIn("o")]);
  });

  test("resolves symlinked workspace roots", () => {
    using tree = new SandboxTree("real/", "dir -> real");
    expect(tree.mounts([ALL, special("project_roots", "write")], { workspaceRoots: [tree.at("dir")] }))
      .toEqual(["write real", ...protectedIn("real")]);
  });

  test("keeps subpaths below their roots", () => {
    using tree = new SandboxTree("w/a/b/", "o/");
    const sub = (
      subpath: string | null,
      access: "write" | "deny" | "read",
    ) => [ALL, special("project_roots", access, subpath)];
    for (const subpath of [null, ""]) expect(tree.mounts(sub(subpath, "write"))[0]).toBe("write w");
    expect(tree.mounts(sub("a//b/", "write"))[0]).toBe("write w/a/b");
    for (const subpath of ["../o", "/o", ".", "./a", "a/../a", "..", "a\0"]) {
      expect(tree.mounts(sub(subpath, "write"))).toEqual([]);
      for (const access of ["deny", "read"] as const) {
        expect(tree.refusal(sub(subpath, access))).toContain("is not below the workspace root");
      }
    }
  });

  test("knows the places for temporary files", () => {
    using tree = new SandboxTree("t/");
    const writeTemporary = [ALL, special("tmpdir", "write")];
    expect(tree.mounts(writeTemporary, {}, { TMPDIR: `${tree.at("w/../t")}/` }))
      .toEqual(["write t", ...protectedIn("t")]);
    for (const TMPDIR of [undefined, "", "t", tree.at("gone")]) {
      expect(tree.mounts(writeTemporary, {}, { TMPDIR })).toEqual([]);
    }
    expect(tree.refusal([ALL, special("tmpdir", "deny")], {}, { TMPDIR: "t" })).toBe(
      "TMPDIR is not absolute",
    );
    expect(tree.rules([ALL, special("slash_tmp", "write")]).mounts)
      .toContainEqual({ kind: "write", path: "/tmp" });
  });

  test("gives every program what it needs in a minimal view, and nothing that was denied", () => {
    using tree = new SandboxTree("w/", "alias -> w");
    const { view, mounts, links } = tree.rules([special("minimal", "read"), tree.path("alias", "read")]);
    expect(view).toBe("minimal");
    expect(mounts).toContainEqual({ kind: "read", path: "/usr" });
    expect(mounts).toContainEqual({ kind: "read", path: "/etc" });
    expect(links).toContainEqual({ path: tree.at("alias"), target: "w" });
    // No path stands twice, as a mount or as a link in one.
    expect(new Set(mounts.map(({ path }) => path)).size).toBe(mounts.length);
    for (const link of links) {
      expect(mounts.some(({ path }) => link.path === path || link.path.startsWith(`${path}/`))).toBe(false);
    }
    const denied = tree.rules([special("minimal", "read"), {
      ...tree.path("", "deny"),
      path: { kind: "path", path: "/usr" },
    }]);
    expect(denied.mounts.filter(({ path }) => path.startsWith("/usr"))).toEqual([]);
    expect(tree.rules([special("root", "write"), special("minimal", "read"), tree.path("w", "read")]).mounts)
      .not.toContainEqual({ kind: "read", path: "/usr" });
    expect(tree.refusal([special("minimal", "deny")])).toBe("minimal is denied");
  });
});

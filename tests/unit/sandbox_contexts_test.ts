import { describe, expect, test } from "bun:test";
import { bytePathOf } from "../../lib/sandbox/byte_path.ts";
import { resolveRules } from "../../lib/sandbox/policy.ts";
import type { Rules } from "../../lib/sandbox/rules.ts";
import { intentOf } from "../../lib/server/sandbox_intent.ts";
import { decodeParams } from "../../lib/wire/decode.ts";
import { sandboxContext } from "../../lib/wire/sandbox_messages.ts";
import { accessByMounts, SandboxTree } from "../support/sandbox_tree.ts";

// As the client of Codex 0.169.0 sent them, with the paths of a temporary tree.

const special = (kind: string, access: string, subpath?: string) => ({
  path: { type: "special", value: subpath === undefined ? { kind } : { kind, subpath } },
  access,
  ...(subpath?.startsWith(".") ? { missing_path_behavior: "skip" } : {}),
});
const PROTECTED = [".git", ".agents", ".codex", ".aws"].map((name) => special("project_roots", "read", name));

async function rulesFor(
  tree: SandboxTree,
  entries: readonly object[],
  network: string,
  roots = ["w"],
  more: object = {},
): Promise<Rules> {
  const context = {
    permissions: {
      type: "managed",
      file_system: { type: "restricted", entries, ...more },
      network,
    },
    cwd: `file://${tree.at("w")}`,
    workspaceRoots: roots.map((root) => `file://${tree.at(root)}`),
    windowsSandboxLevel: "disabled",
    windowsSandboxProxySettingsMode: "reconcile",
    useLegacyLandlock: false,
  };
  const decoded = decodeParams(sandboxContext(), context);
  const refuse = (cause: string) => new Error(cause);
  const intent = intentOf(decoded!, bytePathOf("/"), { cwd: refuse, root: refuse, entry: refuse });
  return await resolveRules(intent!, { TMPDIR: tree.at("t") });
}

const path = (tree: SandboxTree, name: string, access: string) => ({
  path: { type: "path", path: `file://${tree.at(name)}` },
  access,
});

describe("what the real client asks for", () => {
  test("read-only: everything may be read, nothing written", async () => {
    using tree = new SandboxTree("w/", "t/");
    expect(await rulesFor(tree, [special("root", "read")], "restricted")).toEqual({
      view: "whole-read",
      mounts: [],
      links: [],
      network: "restricted",
      whole: { read: true, write: false },
    });
  });

  test("workspace-write: the workspace and what is temporary may be written, not what is protected", async () => {
    using tree = new SandboxTree("w/.git/config", "t/", "o/");
    const entries = [
      special("root", "read"),
      special("project_roots", "write"),
      special("slash_tmp", "write"),
      special("tmpdir", "write"),
      ...PROTECTED,
    ];
    const rules = await rulesFor(tree, entries, "restricted");
    expect(rules).toMatchObject({
      view: "whole-read",
      network: "restricted",
      whole: { read: true, write: false },
    });
    const access = (name: string) => accessByMounts(rules, name.startsWith("/") ? name : tree.at(name));
    for (const name of ["w", "w/x", "w/deep/.git", "t/x", "/tmp/x"]) {
      expect([name, access(name)]).toEqual([name, "write"]);
    }
    for (const name of ["w/.git", "w/.git/config", "w/.codex", "w/.aws/x", "t/.agents", "/etc/x"]) {
      expect([name, access(name)]).toEqual([name, "read"]);
    }
    expect(rules.mounts).toContainEqual({ kind: "absent", path: tree.at("w/.codex") });
    expect(rules.mounts).toContainEqual({ kind: "read", path: tree.at("w/.git") });
  });

  test("workspace-write with network and another root: that one too, and nothing temporary", async () => {
    using tree = new SandboxTree("w/", "t/", "extra/.aws/");
    const entries = [
      special("root", "read"),
      special("project_roots", "write"),
      ...PROTECTED,
      path(tree, "extra", "write"),
    ];
    const rules = await rulesFor(tree, entries, "enabled", ["w", "extra"]);
    expect(rules).toMatchObject({ network: "enabled", whole: { read: true, write: false } });
    expect(rules.mounts.filter(({ kind }) => kind === "write").map(({ path }) => path))
      .toEqual([tree.at("extra"), tree.at("w")]);
    expect(rules.mounts).toContainEqual({ kind: "read", path: tree.at("extra/.aws") });
  });

  test("a profile of one's own: little to read, a pattern denied, and a path of the client's machine", async () => {
    using tree = new SandboxTree("opt/", "data/", "w/sub/x", "w/.env", "w/1/2/.env", "w/1/2/3/.env", "home/");
    const entries = [
      path(tree, "opt", "deny"),
      path(tree, "data", "write"),
      special("minimal", "read"),
      { path: { type: "glob_pattern", pattern: "codex-project-roots://**/*.env" }, access: "deny" },
      special("project_roots", "write"),
      special("project_roots", "read", "sub"),
      path(tree, "home/u/.codex/tmp/arg0-linux/codex-arg0X", "read"),
    ];
    const rules = await rulesFor(tree, entries, "enabled", ["w"], { glob_scan_max_depth: 3 });
    expect(rules).toMatchObject({
      view: "minimal",
      network: "enabled",
      whole: { read: false, write: false },
    });
    const access = (name: string) => accessByMounts(rules, name.startsWith("/") ? name : tree.at(name));
    for (const name of ["opt", "home", "home/u", "w/.env", "w/1/2/.env", "/root"]) {
      expect([name, access(name)]).toEqual([name, "deny"]);
    }
    for (const name of ["data/x", "w/x", "w/1/2/3/.env"]) {
      expect([name, access(name)]).toEqual([name, "write"]);
    }
    for (const name of ["w/sub/x", "w/.git", "data/.codex", "/usr/bin"]) {
      expect([name, access(name)]).toEqual([name, "read"]);
    }
  });
});

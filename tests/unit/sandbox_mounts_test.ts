import { describe, expect, test } from "bun:test";
import { type MountPlan, mountPlanOf } from "../../lib/sandbox/mounts.ts";
import type { MountRule, Rules } from "../../lib/sandbox/rules.ts";
import { UnenforceableError } from "../../lib/sandbox/unenforceable.ts";

describe("the mounts of a view", () => {
  test("are copies for what is open and masks for what is not, parents first", () => {
    const plan = planOf([
      write("/tmp"),
      write("/w"),
      absent("/w/.codex"),
      read("/w/.git"),
      { kind: "deny-file", path: "/w/key" },
      deny("/w/secret"),
      write("/w/.git/hooks"),
    ]);
    expect(plan).toEqual({
      base: "read-only",
      clones: [
        { path: "/tmp", access: "write" },
        { path: "/w", access: "write" },
        { path: "/w/.git", access: "read" },
        { path: "/w/.git/hooks", access: "write" },
      ],
      passages: [],
      skeleton: [],
      links: [],
      attachments: [
        { path: "/tmp", what: "clone", index: 0 },
        { path: "/w", what: "clone", index: 1 },
        { path: "/w/.codex", what: "absent" },
        { path: "/w/.git", what: "clone", index: 2 },
        { path: "/w/key", what: "denied file" },
        { path: "/w/secret", what: "denied directory" },
        { path: "/w/.git/hooks", what: "clone", index: 3 },
      ],
    });
  });

  test("are none for what may be read anyway", () => {
    expect(planOf([read("/"), read("/usr")])).toMatchObject({
      base: "read-only",
      clones: [],
      attachments: [],
    });
  });

  test("begin from what is writable where everything is", () => {
    const plan = planOf([write("/"), read("/usr"), deny("/root")]);
    expect(plan).toMatchObject({
      base: "writable",
      clones: [{ path: "/usr", access: "read" }],
      attachments: [{ path: "/root", what: "denied directory" }, { path: "/usr", what: "clone" }],
    });
  });

  test("lead through a denied directory to what is open inside, and hide once what is denied twice", () => {
    const plan = planOf([
      deny("/s"),
      deny("/s/closed"),
      absent("/s/missing"),
      write("/s/a/b"),
      read("/s/a/file"),
      deny("/s/a/b/c"),
      write("/s/a/b/c/d"),
    ]);
    expect(plan.attachments).toEqual([
      { path: "/s", what: "passage", index: 0 },
      { path: "/s/a/b", what: "clone", index: 0 },
      { path: "/s/a/file", what: "clone", index: 1 },
      { path: "/s/a/b/c", what: "passage", index: 1 },
      { path: "/s/a/b/c/d", what: "clone", index: 2 },
    ]);
    expect(plan.passages).toEqual([
      [directory("a"), directory("a/b"), { path: "a/file", kind: "file" }],
      [directory("d")],
    ]);
  });

  test("of the minimal view have mount points made for them, and no masks for what is not there", () => {
    const plan = planOf(
      [
        read("/usr"),
        deny("/people"),
        write("/people/u/w"),
        read("/people/u/file"),
        deny("/usr/secret"),
        write("/people/u/w/x"),
      ],
      { view: "minimal", links: [{ path: "/bin", target: "usr/bin" }, { path: "/run/sw", target: "/nix" }] },
    );
    expect(plan.base).toBe("minimal");
    expect(plan.skeleton).toEqual([
      directory("/usr"),
      directory("/people"),
      directory("/people/u"),
      { path: "/people/u/file", kind: "file" },
      directory("/people/u/w"),
      directory("/run"),
    ]);
    expect(plan.attachments.map(({ path, what }) => [path, what])).toEqual([
      ["/usr", "clone"],
      ["/usr/secret", "denied directory"],
      ["/people/u/file", "clone"],
      ["/people/u/w", "clone"],
      ["/people/u/w/x", "clone"],
    ]);
    expect(plan.links).toHaveLength(2);
  });

  test("leave the sandbox's own /dev and /proc alone, but for what is asked of them", () => {
    const plan = planOf([
      read("/dev"),
      read("/proc"),
      write("/dev/null"),
      deny("/dev/gone"),
      { kind: "deny-file", path: "/dev/zero" },
      write("/dev/shm/w"),
      absent("/dev/shm/w/.git"),
      write("/dev/shm/w/x"),
    ]);
    expect(plan.skeleton).toEqual([directory("/dev/shm/w")]);
    expect(plan.attachments.map(({ path, what }) => [path, what])).toEqual([
      ["/dev/zero", "denied file"],
      ["/dev/shm/w", "clone"],
      ["/dev/shm/w/.git", "absent"],
      ["/dev/shm/w/x", "clone"],
    ]);
  });

  test.each([deny("/"), deny("/dev"), deny("/proc"), write("/proc/sys"), deny("/proc/kcore")])(
    "cannot be made for %o",
    (rule) => {
      expect(() => planOf([rule])).toThrow(UnenforceableError);
    },
  );

  test("cannot show the whole in the minimal view", () => {
    expect(() => planOf([read("/")], { view: "minimal" })).toThrow(UnenforceableError);
  });
});

function planOf(mounts: MountRule[], rest: Partial<Rules> = {}): MountPlan {
  const depth = ({ path }: MountRule) => path === "/" ? 0 : path.split("/").length;
  const ordered = mounts.toSorted((one, other) =>
    depth(one) - depth(other) || (one.path < other.path ? -1 : 1)
  );
  const rules: Rules = {
    view: "whole-read",
    mounts: ordered,
    links: [],
    network: "restricted",
    whole: { read: true, write: false },
    ...rest,
  };
  return mountPlanOf(rules, (path) => path.endsWith("file") ? "file" : "directory");
}

function directory(path: string) {
  return { path, kind: "directory" } as const;
}

function write(path: string): MountRule {
  return { kind: "write", path };
}

function read(path: string): MountRule {
  return { kind: "read", path };
}

function absent(path: string): MountRule {
  return { kind: "absent", path };
}

function deny(path: string): MountRule {
  return { kind: "deny-directory", path, reopened: [] };
}

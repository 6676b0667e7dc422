import { describe, expect, test } from "bun:test";
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { fileURLToPath } from "node:url";
import type { Entry, Intent } from "../../lib/sandbox/intent.ts";
import { tryLock } from "../../lib/sandbox/libc.ts";
import { KEPT, MARK } from "../../lib/sandbox/mask_mark.ts";
import { holdMaskPoints } from "../../lib/sandbox/mask_points.ts";
import { resolveRules } from "../../lib/sandbox/policy.ts";
import type { MountRule, Rules } from "../../lib/sandbox/rules.ts";
import { UnenforceableError } from "../../lib/sandbox/unenforceable.ts";
import { rulesOf, workspace } from "./confined.ts";

const isLinux = process.platform === "linux";

describe.skipIf(!isLinux)("a mask point", () => {
  test("stays until its last user in this server lets go", () => {
    using place = workspace();
    const rules = masking(place);
    const [one, other] = [holdMaskPoints(rules), holdMaskPoints(rules)];
    expect(one.rules).toBe(rules);
    one.release();
    one.release();
    expect(readdirSync(place.path)).toEqual([".codex"]);
    other.release();
    expect(readdirSync(place.path)).toEqual([]);
  });

  test("stays until its last user in other servers lets go", async () => {
    using place = workspace();
    const ours = holdMaskPoints(masking(place));
    await using theirs = await anotherServer(place);
    ours.release();
    expect(readdirSync(place.path)).toEqual([".codex"]);
    await theirs.end("release");
    expect(readdirSync(place.path)).toEqual([]);
  });

  test("that a server left behind is found and taken away by the next", async () => {
    using place = workspace();
    {
      await using theirs = await anotherServer(place);
      await theirs.end("SIGKILL");
    }
    expect(readdirSync(place.path)).toEqual([".codex"]);
    // It exists, so whoever looks takes it for a protected directory.
    const held = holdMaskPoints(rulesOf([writable(place), { kind: "read", path: `${place.bytes}/.codex` }]));
    expect(held.rules.mounts).toEqual(masking(place).mounts);
    held.release();
    expect(readdirSync(place.path)).toEqual([]);
  });

  test("of somebody else that has gone since the rules were made is made again", () => {
    using place = workspace();
    const held = holdMaskPoints(rulesOf([writable(place), { kind: "read", path: `${place.bytes}/.codex` }]));
    expect(held.rules.mounts).toEqual(masking(place).mounts);
    held.release();
    expect(readdirSync(place.path)).toEqual([]);
  });

  test("that somebody has used is theirs", () => {
    using place = workspace();
    const held = holdMaskPoints(masking(place));
    writeFileSync(`${place.path}/.codex/config.toml`, "");
    held.release();
    expect(readdirSync(`${place.path}/.codex`)).toEqual(["config.toml"]);
  });

  test("is not removed by who removes what is empty", async () => {
    using place = workspace();
    const held = holdMaskPoints(masking(place));
    expect(() => rmdirSync(`${place.path}/.codex`)).toThrow("ENOTEMPTY");
    await Bun.spawn(["find", `${place.path}/.codex`, "-empty", "-delete"]).exited;
    expect(readdirSync(place.path)).toEqual([".codex"]);
    held.release();
    expect(readdirSync(place.path)).toEqual([]);
  });

  test("means nothing to a pattern that denies what is in it", async () => {
    using place = workspace();
    const entries: Entry[] = [
      { path: { kind: "special", special: "root", subpath: null }, access: "read", skipIfMissing: false },
      { path: { kind: "path", path: place.bytes }, access: "write", skipIfMissing: false },
      { path: { kind: "glob", pattern: `${place.bytes}/**/*` }, access: "deny", skipIfMissing: false },
    ];
    const intent: Intent = {
      files: { type: "restricted", globScanMaxDepth: null, entries },
      network: "restricted",
      workspaceRoots: [place.bytes],
      cwd: place.bytes,
    };
    const held = holdMaskPoints(masking(place));
    const { mounts } = await resolveRules(intent, {});
    expect(mounts.filter(({ kind }) => kind === "deny-file")).toEqual([]);
    held.release();
  });

  test("that somebody has moved away takes nothing of ours with it", () => {
    using place = workspace();
    const held = holdMaskPoints(masking(place));
    renameSync(`${place.path}/.codex`, `${place.path}/moved`);
    held.release();
    expect([readdirSync(place.path), readdirSync(`${place.path}/moved`)]).toEqual([["moved"], []]);
  });

  test("that a server left half made is taken away by the next", () => {
    using place = workspace();
    mkdirSync(`${place.path}/.codex`);
    symlinkSync(KEPT.target, `${place.path}/.codex/${KEPT.name}`);
    const held = holdMaskPoints(rulesOf([writable(place), { kind: "read", path: `${place.bytes}/.codex` }]));
    expect(held.rules.mounts).toEqual(masking(place).mounts);
    expect(statSync(`${place.path}/.codex`).mtimeMs).toBe(MARK * 1000);
    held.release();
    expect(readdirSync(place.path)).toEqual([]);
  });

  test("that somebody else made empty is held as long, and never removed", () => {
    using place = workspace();
    mkdirSync(`${place.path}/.codex`);
    utimesSync(`${place.path}/.codex`, 1, 1);
    const rules = rulesOf([writable(place), { kind: "read", path: `${place.bytes}/.codex` }]);
    const fd = openSync(`${place.path}/.codex`, "r");
    const held = holdMaskPoints(rules);
    expect(held.rules).toBe(rules);
    expect(tryLock(fd, "exclusive")).toBe(false);
    held.release();
    expect(tryLock(fd, "exclusive")).toBe(true);
    closeSync(fd);
    expect([readdirSync(place.path), readdirSync(`${place.path}/.codex`)]).toEqual([[".codex"], []]);
  });

  test("is not what somebody made of the same name in the meantime", () => {
    using place = workspace();
    mkdirSync(`${place.path}/.codex`);
    const held = holdMaskPoints(masking(place));
    expect(held.rules.mounts).toEqual([writable(place), { kind: "read", path: `${place.bytes}/.codex` }]);
    held.release();
    expect(readdirSync(place.path)).toEqual([".codex"]);
  });

  test("that somebody took away does not trouble those who come after", () => {
    using place = workspace();
    const one = holdMaskPoints(masking(place));
    rmSync(`${place.path}/.codex`, { recursive: true });
    const other = holdMaskPoints(masking(place));
    one.release();
    expect(statSync(`${place.path}/.codex`).isDirectory()).toBe(true);
    other.release();
    expect(readdirSync(place.path)).toEqual([]);
  });

  test("is not made where a link leads that has taken its directory's place", () => {
    using place = workspace();
    using elsewhere = workspace();
    symlinkSync(elsewhere.path, `${place.path}/link`);
    const link = { path: `${place.path}/link`, bytes: `${place.bytes}/link` };
    expect(() => holdMaskPoints(masking(link))).toThrow(UnenforceableError);
    mkdirSync(`${elsewhere.path}/below`);
    const below = { path: `${link.path}/below`, bytes: `${link.bytes}/below` };
    expect(() => holdMaskPoints(masking(below))).toThrow(UnenforceableError);
    expect([readdirSync(elsewhere.path), readdirSync(`${elsewhere.path}/below`)]).toEqual([["below"], []]);
  });

  test("cannot be had where a file has the name, and then none is held", () => {
    using place = workspace();
    writeFileSync(`${place.path}/.git`, "gitdir: elsewhere");
    const rules = rulesOf([...masking(place).mounts, { kind: "absent", path: `${place.bytes}/.git` }]);
    expect(() => holdMaskPoints(rules)).toThrow(UnenforceableError);
    expect(readdirSync(place.path)).toEqual([".git"]);
  });
});

function writable({ bytes }: { bytes: string }): MountRule {
  return { kind: "write", path: bytes };
}

function masking(place: { bytes: string }): Rules {
  return rulesOf([writable(place), { kind: "absent", path: `${place.bytes}/.codex` }]);
}

/** Another program that holds the same, until it is told. */
async function anotherServer(place: { bytes: string }) {
  const child = Bun.spawn([process.execPath, fileURLToPath(import.meta.resolve("./hold_points.ts"))], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdin.write(`${JSON.stringify(masking(place))}\n`);
  await child.stdin.flush();
  const { value } = await child.stdout.getReader().read();
  expect(new TextDecoder().decode(value)).toBe("held\n");
  return {
    async end(how: "release" | "SIGKILL") {
      if (how === "SIGKILL") child.kill(how);
      else child.stdin.end();
      await child.exited;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

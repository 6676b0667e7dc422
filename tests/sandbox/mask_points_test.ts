import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, rmdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { holdMaskPoints } from "../../lib/sandbox/mask_points.ts";
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
    rmdirSync(`${place.path}/.codex`);
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

import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { mechanism, rulesOf, runConfined, spawnConfined, workspace } from "./confined.ts";

const rules = rulesOf([]);
const networkOnly = rulesOf([], { view: "whole-write", whole: { read: true, write: true } });

describe.skipIf(mechanism === null)("a start that does not come about", () => {
  test("tells that its program is missing", async () => {
    const run = runConfined(rules, { programs: ["/no/such/program", "/neither/this"] });
    await expect(run).rejects.toMatchObject({ kind: "program", errno: "ENOENT" });
  });

  test("tells so too where only the network is confined", async () => {
    const run = runConfined(networkOnly, { programs: ["/no/such/program"] });
    await expect(run).rejects.toMatchObject({ kind: "program", errno: "ENOENT" });
  });

  test("tells that its program may not be run, also where a later candidate is missing", async () => {
    const run = runConfined(rules, { programs: ["/etc/passwd", "/no/such/program"] });
    await expect(run).rejects.toMatchObject({ kind: "program", errno: "EACCES" });
  });

  test("tells that its program has no format", async () => {
    using place = workspace();
    writeFileSync(`${place.path}/script`, "echo a", { mode: 0o755 });
    const run = runConfined(rules, { programs: [`${place.path}/script`] });
    await expect(run).rejects.toMatchObject({ kind: "program", errno: "ENOEXEC" });
  });

  test("tells that its directory is missing", async () => {
    await expect(runConfined(rules, { cwd: "/no/such" })).rejects.toMatchObject({
      kind: "cwd",
      errno: "ENOENT",
    });
    await expect(runConfined(rules, { cwd: "/etc/passwd" })).rejects.toMatchObject({
      kind: "cwd",
      errno: "ENOTDIR",
    });
  });

  test("ends with 125 and runs nothing", async () => {
    await using confined = await spawnConfined(rulesOf([{ kind: "write", path: "/no/such" }]), {
      argv: ["sh", "-c", "echo ran"],
    });
    await expect(confined.began).rejects.toMatchObject({
      kind: "setup",
      errno: "ENOENT",
      what: "open /no/such",
    });
    expect(await confined.child.exited).toBe(125);
    expect(await confined.child.stdout.text()).toBe("");
  });
});

describe("many starts", () => {
  test.skipIf(mechanism === null)("leave no descriptor open and no zombie", async () => {
    const program = join(import.meta.dir, "many_starts.ts");
    await using starts = Bun.spawn([process.execPath, program], { stdin: "ignore", stdout: "pipe" });
    const { children, descriptors } = await starts.stdout.json();
    expect(children).toBe("");
    expect(descriptors).toBeLessThanOrEqual(0);
  }, 30_000);
});

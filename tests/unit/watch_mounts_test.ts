import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "@std/path";

const PROGRAM = join(import.meta.dir, "../support/fixtures/mount_over_watched.ts");

/** Where mounts are seen by this program and its children only, and may be made. */
const withOwnMounts = (argv: string[]) => ["unshare", "--user", "--map-root-user", "--mount", "--", ...argv];

const canMount = (() => {
  try {
    const argv = withOwnMounts(["mount", "-t", "tmpfs", "none", tmpdir()]);
    return Bun.spawnSync(argv, { stderr: "ignore" }).exitCode === 0;
  } catch {
    return false; // there is no `unshare`
  }
})();
if (!canMount) console.warn("Skipped: this machine lets nobody mount anything of his own");

test.skipIf(!canMount)("a mount over what is watched is told, and no other", () => {
  const directory = mkdtempSync(join(tmpdir(), "mounts-"));
  try {
    const argv = withOwnMounts([process.execPath, "--no-env-file", PROGRAM, directory]);
    const { stdout, stderr } = Bun.spawnSync(argv, { timeout: 20_000 });
    expect(stderr.toString()).toBe("");
    expect(stdout.toString().trim().split("\n")).toEqual([
      "told of parent/missing",
      "told of parent/missing",
      "told of parent/child/missing",
      "told of with space/missing",
      "told of with space/missing",
      "done",
    ]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}, 30_000);

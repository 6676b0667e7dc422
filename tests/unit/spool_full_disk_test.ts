import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "@std/path";

const PROGRAM = join(import.meta.dir, "../support/fixtures/print_on_full_disk.ts");

/** A disk of so many KiB that only this program sees. */
const onSmallDisk = (kib: number, directory: string, argv: string[]) => [
  ...["unshare", "--user", "--map-root-user", "--mount", "--", "sh", "-c"],
  `mount -t tmpfs -o size=${kib}k tmpfs "$0" && exec "$@"`,
  ...[directory, ...argv],
];

const canMount = (() => {
  try {
    return Bun.spawnSync(onSmallDisk(200, tmpdir(), ["true"]), { stderr: "ignore" }).exitCode === 0;
  } catch {
    return false; // there is no `unshare`
  }
})();
if (!canMount) console.warn("Skipped: this machine lets nobody mount a small disk of his own");

test.skipIf(!canMount)(
  "a process that prints more than half of the disk goes on, and what is gone is said",
  () => {
    expect(printOn(3_000)).toEqual({ told: 96, hasGap: true, isRight: true, isNamed: true, warnings: [] });
  },
);

test.skipIf(!canMount)("on a disk that others fill it goes on too, and a person is told once", () => {
  const why = "Some output is not kept: Cannot write to /spool: No space left on device (os error 28)";
  expect(printOn(16_000, 15_000)).toEqual({
    told: 96,
    hasGap: true,
    isRight: true,
    isNamed: true,
    warnings: [why],
  });
});

function printOn(kib: number, theirKib = 0): unknown {
  const directory = mkdtempSync(join(tmpdir(), "small-disk-"));
  try {
    const argv = [process.execPath, "--no-env-file", PROGRAM, directory, String(theirKib * 1024)];
    const { stdout, stderr } = Bun.spawnSync(onSmallDisk(kib, directory, argv));
    expect(stderr.toString()).toBe("");
    return JSON.parse(stdout.toString());
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

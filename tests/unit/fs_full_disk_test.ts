import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "@std/path";

const PROGRAM = join(import.meta.dir, "../support/fixtures/write_on_full_disk.ts");

/** A disk of 200 KiB that only this program and its children see. */
const onSmallDisk = (directory: string, argv: string[]) => [
  ...["unshare", "--user", "--map-root-user", "--mount", "--", "sh", "-c"],
  'mount -t tmpfs -o size=200k tmpfs "$0" && exec "$@"',
  ...[directory, ...argv],
];

const canMount = (() => {
  try {
    const { exitCode } = Bun.spawnSync(onSmallDisk(tmpdir(), ["true"]), { stderr: "ignore" });
    return exitCode === 0;
  } catch {
    return false; // there is no `unshare`
  }
})();
if (!canMount) console.warn("Skipped: this machine lets nobody mount a small disk of his own");

for (const size of [250_000, 1_000_000]) {
  test.skipIf(!canMount)(`a disk too full for ${size} bytes is met before an old byte changes`, () => {
    const directory = mkdtempSync(join(tmpdir(), "small-disk-"));
    try {
      const argv = [process.execPath, "--no-env-file", PROGRAM, directory, String(size)];
      const { stdout, stderr } = Bun.spawnSync(onSmallDisk(directory, argv));
      expect(stderr.toString()).toBe("");
      expect(JSON.parse(stdout.toString())).toEqual({ errno: "ENOSPC", isOld: true, other: 80_000 });
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
}

for (const size of [250_000, 1_000_000]) {
  test.skipIf(!canMount)(
    `a new file of ${size} bytes that the disk has no room for is not left behind`,
    () => {
      const [directory, elsewhere] = [
        mkdtempSync(join(tmpdir(), "small-disk-")),
        mkdtempSync(join(tmpdir(), "large-disk-")),
      ];
      try {
        const program = join(import.meta.dir, "../support/fixtures/new_on_full_disk.ts");
        const argv = [
          process.execPath,
          "--no-env-file",
          program,
          directory,
          String(size),
          join(elsewhere, "source"),
        ];
        const { stdout, stderr } = Bun.spawnSync(onSmallDisk(directory, argv));
        expect(stderr.toString()).toBe("");
        expect(JSON.parse(stdout.toString())).toEqual({ failures: ["ENOSPC", "ENOSPC", "ENOSPC"], left: [] });
      } finally {
        for (const path of [directory, elsewhere]) rmSync(path, { recursive: true, force: true });
      }
    },
  );
}

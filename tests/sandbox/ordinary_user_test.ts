import { expect, test } from "bun:test";
import { fileURLToPath } from "node:url";

const files = [
  ...["view", "rights", "process", "start", "terminal", "mask_points", "support"],
  ...["files", "files_escape", "views"],
  ...["managed_network", "managed_connections"],
]
  .map((name) => fileURLToPath(import.meta.resolve(`./${name}_test.ts`)));
const ORDINARY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

/** Only root can be somebody else, and only where others may read these files. */
const canBecome = process.geteuid?.() === 0 && Bun.which("setpriv") !== null &&
  Bun.spawnSync([...ORDINARY, process.execPath, "--version"]).exitCode === 0 &&
  Bun.spawnSync([...ORDINARY, "test", "-r", files[0]!]).exitCode === 0;

test.skipIf(!canBecome)("all of it holds for an ordinary user too", async () => {
  // Not run here: a file of tests with root's own temporary directory as its world.
  const env = { PATH: process.env["PATH"] ?? "", TMPDIR: "/tmp", HOME: "/tmp" };
  await using child = Bun.spawn([...ORDINARY, process.execPath, "test", ...files], {
    cwd: "/",
    env,
    stdout: "pipe",
    stderr: "pipe",
  });
  const [told, code] = await Promise.all([child.stderr.text(), child.exited]);
  expect(told).toMatch(/^ [1-9]\d+ pass$/m);
  expect({ code, failed: told.match(/^\(fail\).*$/gm) }).toEqual({ code: 0, failed: null });
}, 60_000);

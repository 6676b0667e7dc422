import { expect, test } from "bun:test";
import { closeSync, constants, openSync, readdirSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { helperPath, planFile, unlinkedHelper } from "../../lib/sandbox/helper_file.ts";
import { makeStatusPipe } from "../../lib/sandbox/libc.ts";
import { helperElf } from "../../lib/sandbox/machine.ts";
import type { Arch } from "../../lib/sandbox/numbers.ts";
import { planStart } from "../../lib/sandbox/plan.ts";
import { mechanism, whole } from "./confined.ts";
import { surroundings } from "../../lib/sandbox/surroundings.ts";

const arch = process.arch as Arch;

test.skipIf(mechanism === null)("the helper cannot be written to, root included", () => {
  expect(() => closeSync(openSync(helperPath(arch), constants.O_RDWR))).not.toThrow();
  const fd = openSync(helperPath(arch), constants.O_RDWR);
  try {
    expect(() => writeSync(fd, "x")).toThrow("EPERM");
  } finally {
    closeSync(fd);
  }
});

test.skipIf(mechanism === null)("a helper on the disk works too, and leaves nothing there", async () => {
  const before = readdirSync(tmpdir()).filter((name) => name.startsWith("exec-server-"));
  const fd = unlinkedHelper(helperElf(arch));
  const plan = planStart(
    { view: null, network: "restricted" },
    whole({ argv: ["sh", "-c", "exit 9"] }),
    { kind: "seccomp" },
    surroundings(),
  );
  const [planFd, status] = [planFile(plan.bytes), makeStatusPipe()!];
  try {
    await using child = Bun.spawn([`/proc/${process.pid}/fd/${fd}`], {
      stdio: ["ignore", "ignore", "ignore", planFd, status.writeEnd],
    });
    expect(await child.exited).toBe(9);
  } finally {
    for (const open of [fd, planFd, status.readEnd, status.writeEnd]) closeSync(open);
  }
  expect(readdirSync(tmpdir()).filter((name) => name.startsWith("exec-server-"))).toEqual(before);
});

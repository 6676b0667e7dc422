import { describe, expect, test } from "bun:test";
import { fileURLToPath } from "node:url";

const teller = fileURLToPath(import.meta.resolve("./tell_support.ts"));
const isRoot = process.geteuid?.() === 0;

/** A system of its own in which we are root and nobody else is. */
const OWN_SYSTEM = ["unshare", "--user", "--map-root-user", "--mount", "--pid", "--fork", "--mount-proc"];
/** The same, in which we are who we are, and may do as root may. */
const AS_OURSELVES = OWN_SYSTEM.map((word) => word === "--map-root-user" ? "--map-current-user" : word)
  .toSpliced(2, 0, "--keep-caps");
const NO_RIGHTS = "setpriv --bounding-set=-all --inh-caps=-all --ambient-caps=-all";
const NO_USER_NAMESPACES = "echo 0 > /proc/sys/user/max_user_namespaces";
/** As containers do, so that the kernel lets nobody mount a /proc without masks. */
const MASKED_PROC = "mount -t tmpfs none /proc/bus";

const canTry = Bun.spawnSync([...AS_OURSELVES, "setpriv", "true"], { stderr: "ignore" }).exitCode === 0;

describe.skipIf(!canTry)("the mechanism found", () => {
  test("is user namespaces where all is there", async () => {
    const { support, told } = await tell(OWN_SYSTEM, "");
    expect(support).toEqual({ tier: "user namespaces", failing: null, freshProc: true });
    expect(told).toEqual(allConfined);
  });

  test("is the server's own capabilities where there are no user namespaces", async () => {
    const { support, told } = await tell(OWN_SYSTEM, NO_USER_NAMESPACES);
    expect(support).toEqual({
      tier: "capabilities",
      failing: expect.stringContaining("unshare"),
      freshProc: true,
    });
    expect(told).toEqual(allConfined);
  });

  test("is seccomp where there are neither, for what it is enough for", async () => {
    const { support, told } = await tell(OWN_SYSTEM, `${NO_USER_NAMESPACES}; exec ${NO_RIGHTS}`);
    expect(support).toMatchObject({ tier: "seccomp only", failing: expect.stringContaining("unshare") });
    expect(told["whole-write"]).toContain("Seccomp: 2");
    for (const view of ["whole-read", "minimal"]) {
      expect(told[view]).toStartWith("UnenforceableError: unshare");
    }
  });

  test.skipIf(isRoot)("shows the host's /proc where that is masked, except in the minimal view", async () => {
    const { support, told } = await tell(AS_OURSELVES, `${MASKED_PROC}; exec ${NO_RIGHTS}`);
    expect(support).toEqual({
      tier: "user namespaces",
      failing: expect.stringContaining("mount proc"),
      freshProc: false,
    });
    expect(told["whole-read"]).toBe(allConfined["whole-read"]);
    expect(told["minimal"]).toStartWith("UnenforceableError: mount proc");
  });
});

const allConfined: Record<string, string> = {
  "whole-write": expect.stringContaining("Seccomp: 2"),
  "whole-read": "CapEff: 0000000000000000 Seccomp: 2 Read-only file system\nproc",
  minimal: "CapEff: 0000000000000000 Seccomp: 2 No such file or directory\nproc",
};

async function tell(system: readonly string[], prepare: string) {
  const line = `${prepare}${prepare.includes("exec") ? "" : "\nexec"} '${process.execPath}' '${teller}'`;
  await using child = Bun.spawn([...system, "sh", "-c", line], { stdout: "pipe" });
  const told = await child.stdout.text();
  return JSON.parse(told) as { support: Record<string, unknown>; told: Record<string, string> };
}

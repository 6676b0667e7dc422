import { describe, expect, test } from "bun:test";
import { constants, tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { PR_SET_NO_NEW_PRIVS } from "../../lib/sandbox/linux.ts";
import { syscallNumber } from "../../lib/sandbox/numbers.ts";
import { Program } from "../../lib/sandbox/program.ts";
import { runPlan } from "../support/run_plan.ts";
import { mechanism } from "./confined.ts";

const teller = fileURLToPath(import.meta.resolve("./tell_support.ts"));
const program = fileURLToPath(import.meta.resolve("../../main.ts"));
const isRoot = process.geteuid?.() === 0;
/** Root of the machine may mount a /proc even where it is masked. */
const ORDINARY = isRoot ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : [];

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

/** Root may keep the runtime or this checkout to himself. */
const canBeOrdinary = canTry &&
  Bun.spawnSync([...ORDINARY, "sh", "-c", `test -r '${program}' && exec '${process.execPath}' --version`], {
      cwd: "/",
      stderr: "ignore",
    }).exitCode === 0;

describe.skipIf(!canTry)("the mechanism found", () => {
  test("is user namespaces where all is there", async () => {
    const { support, told } = await tell(OWN_SYSTEM, "");
    expect(support).toEqual({
      tier: "user namespaces",
      failing: null,
      passedOver: null,
      freshProc: true,
      isLasting: true,
    });
    expect(told).toEqual(allConfined);
  });

  test("is the server's own capabilities where there are no user namespaces", async () => {
    const { support, told } = await tell(OWN_SYSTEM, NO_USER_NAMESPACES);
    expect(support).toEqual({
      tier: "capabilities",
      failing: null,
      passedOver: expect.stringContaining("unshare"),
      freshProc: true,
      isLasting: true,
    });
    expect(told).toEqual(allConfined);
  });

  test("is seccomp where there are neither, for what it is enough for", async () => {
    const { support, told } = await tell(OWN_SYSTEM, `${NO_USER_NAMESPACES}; exec ${NO_RIGHTS}`);
    expect(support).toMatchObject({
      tier: "seccomp only",
      failing: expect.stringContaining("unshare"),
      isLasting: true,
    });
    expect(told["whole-write"]).toContain("Seccomp: 2");
    for (const view of ["whole-read", "minimal"]) {
      expect(told[view]).toStartWith("UnenforceableError: unshare");
    }
  });

  test.skipIf(!canBeOrdinary)(
    "shows the host's /proc where it is masked, except in the minimal view",
    async () => {
      const { support, told } = await tell(
        [...ORDINARY, ...AS_OURSELVES],
        `${MASKED_PROC}; exec ${NO_RIGHTS}`,
      );
      expect(support).toEqual({
        tier: "user namespaces",
        failing: expect.stringContaining("mount proc"),
        passedOver: expect.stringContaining("mount proc"),
        freshProc: false,
        isLasting: true,
      });
      expect(told["whole-read"]).toBe(allConfined["whole-read"]);
      expect(told["minimal"]).toStartWith("UnenforceableError: mount proc");
    },
  );

  test.skipIf(!canBeOrdinary)("is told by doctor with what it does not do", async () => {
    const doctor = `'${process.execPath}' '${program}' doctor`;
    const line = `${MASKED_PROC}; exec ${NO_RIGHTS} ${doctor}`;
    await using child = Bun.spawn([...ORDINARY, ...AS_OURSELVES, "sh", "-c", line], {
      cwd: "/",
      env: { PATH: process.env.PATH, HOME: tmpdir() },
      stdout: "pipe",
    });
    expect(await child.stdout.text()).toMatch(
      /^ok {4}sandbox: holds files and network \(user namespaces\), but not profiles with minimal reads: mount proc .*\)$/m,
    );
  });
});

test.skipIf(mechanism === null)(
  "what cannot be found out for want of descriptors is found out later",
  async () => {
    const file = fileURLToPath(import.meta.resolve("./support_in_need.ts"));
    await using child = Bun.spawn(["sh", "-c", `ulimit -n 100; exec '${process.execPath}' '${file}'`], {
      stdout: "pipe",
    });
    const [inNeed, later, isKept] = JSON.parse(await child.stdout.text()) as unknown[];
    expect(inNeed).toMatchObject({
      tier: "none",
      isLasting: false,
      failing: expect.stringContaining("Too many"),
    });
    expect(later).toMatchObject({ isLasting: true, mechanism: { kind: "namespaces" } });
    expect(isKept).toBe(true);
  },
);

test.each(["openat2", "open_tree", "move_mount", "mount_setattr"] as const)(
  "files are not confined where the kernel has no %s, and that is known beforehand",
  async (name) => {
    const arch = process.arch === "arm64" ? "arm64" : "x64";
    const program = new Program(arch);
    program.call("prctl", [PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0], { what: "forbid new privileges" });
    const filter = program.words(4, program.bytes(without(syscallNumber(name, arch))));
    program.call("seccomp", [1, 0, filter], { what: "filter" });
    const argv = program.words(program.text("bun"), program.text(teller), 0);
    program.call("execve", [program.text(process.execPath), argv, program.words(0)], { what: "run" });
    const { output } = await runPlan(program.build(), arch);
    const { support } = JSON.parse(output.toString()) as { support: object };
    expect(support).toMatchObject({ tier: "seccomp only", isLasting: true });
  },
);

/** A filter of system calls that answers one of them as a kernel does that never heard of it. */
function without(number: number): Uint8Array {
  const [load, isEqual, answer] = [0x20, 0x15, 0x06];
  const refused = 0x5_0000 | constants.errno.ENOSYS;
  return new Uint8Array(
    Uint32Array.of(load, 0, isEqual | 1 << 24, number, answer, refused, answer, 0x7fff_0000).buffer,
  );
}

const allConfined: Record<string, string> = {
  "whole-write": expect.stringContaining("Seccomp: 2"),
  "whole-read": "CapEff: 0000000000000000 Seccomp: 2 Read-only file system\nproc",
  minimal: "CapEff: 0000000000000000 Seccomp: 2 No such file or directory\nproc",
};

async function tell(system: readonly string[], prepare: string) {
  const line = `${prepare}${prepare.includes("exec") ? "" : "\nexec"} '${process.execPath}' '${teller}'`;
  await using child = Bun.spawn([...system, "sh", "-c", line], { cwd: "/", stdout: "pipe" });
  const told = await child.stdout.text();
  return JSON.parse(told) as { support: Record<string, unknown>; told: Record<string, string> };
}

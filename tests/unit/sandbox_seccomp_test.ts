import { describe, expect, test } from "bun:test";
import { type Arch, type SyscallName, syscallNames, syscallNumber } from "../../lib/sandbox/numbers.ts";
import { Program } from "../../lib/sandbox/program.ts";
import { filterFor, type NetworkMode } from "../../lib/sandbox/seccomp.ts";
import { runFilter } from "../support/bpf.ts";
import { runnerOf, runPlan } from "../support/run_plan.ts";

const ALLOW = 0x7fff0000;
const EPERM = 0x00050001;
const ENOSYS = 0x00050026;
const KILL = 0x80000000;
const X64 = 0xc000003e;
const ARM64 = 0xc00000b7;
const ARCHITECTURES = { x64: X64, arm64: ARM64 } as const;
/** i386, arm, riscv64, the x64 number without its 64-bit flag, nothing at all. */
const FOREIGN = [0x40000003, 0x40000028, 0xc00000f3, 0x4000003e, 0];

const AF_UNSPEC = 0;
const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;
const AF_PACKET = 17;
const AF_VSOCK = 40;
const FAMILIES = [AF_UNSPEC, AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_VSOCK, 255, 0xffffffff];

const words = (text: string) => text.split(" ") as SyscallName[];
const NETWORK = words(
  "connect accept accept4 bind listen getpeername getsockname shutdown sendto sendmmsg recvmmsg getsockopt setsockopt",
);
const OTHERS = words("ptrace process_vm_readv process_vm_writev");
const IO_URING = words("io_uring_setup io_uring_enter io_uring_register");
const EVERYWHERE = [...IO_URING, ...words("add_key request_key keyctl bpf")];
const NEW_CGROUPS = 0x02000000;
const NEW_USERS = 0x10000000;

interface Expected {
  mode: NetworkMode;
  refused: readonly SyscallName[];
  socket: readonly number[];
  socketpair: readonly number[];
}

/** What may still be made, by family. */
const EXPECTED: readonly Expected[] = [
  {
    mode: "restricted",
    refused: [...NETWORK, ...OTHERS, ...EVERYWHERE],
    socket: [AF_UNIX],
    socketpair: [AF_UNIX],
  },
  {
    mode: "proxied",
    refused: [...OTHERS, ...EVERYWHERE],
    socket: [AF_INET, AF_INET6],
    socketpair: [AF_UNIX],
  },
  {
    mode: "enabled",
    refused: EVERYWHERE,
    socket: FAMILIES.filter((family) => family !== AF_VSOCK),
    socketpair: FAMILIES.filter((family) => family !== AF_VSOCK),
  },
];

for (const arch of ["x64", "arm64"] as const) {
  for (const { mode, refused, socket, socketpair } of EXPECTED) {
    describe(`the filter for the network ${mode} on ${arch}`, () => {
      const filter = filterFor(mode, arch);
      const answer = (
        number: number,
        args: readonly (number | bigint)[] = [],
        architecture = ARCHITECTURES[arch],
      ) => runFilter(filter, { number, architecture, args });

      test("refuses what it lists and lets all other calls pass", () => {
        for (const name of syscallNames()) {
          if (name === "socket" || name === "socketpair") continue;
          const expected = name === "clone3" ? ENOSYS : refused.includes(name) ? EPERM : ALLOW;
          expect([name, answer(syscallNumber(name, arch))]).toEqual([name, expected]);
          // What the arguments are makes no difference.
          expect([name, answer(syscallNumber(name, arch), [1, 2, 3])]).toEqual([name, expected]);
        }
        const listed = [...refused, ...words("socket socketpair clone3")].map((name) =>
          syscallNumber(name, arch)
        );
        for (let number = 0; number < 600; number++) {
          if (!listed.includes(number)) expect([number, answer(number)]).toEqual([number, ALLOW]);
        }
      });

      test("makes sockets of its families only", () => {
        for (const family of FAMILIES) {
          const made = (name: SyscallName) => [name, family, answer(syscallNumber(name, arch), [family])];
          expect(made("socket")).toEqual(["socket", family, socket.includes(family) ? ALLOW : EPERM]);
          expect(made("socketpair")).toEqual([
            "socketpair",
            family,
            socketpair.includes(family) ? ALLOW : EPERM,
          ]);
        }
      });

      test("makes all namespaces but those of cgroups, and hides the call whose flags cannot be seen", () => {
        for (const name of words("unshare clone")) {
          const made = (flags: number | bigint) => answer(syscallNumber(name, arch), [flags]);
          expect([made(0), made(NEW_USERS), made(0xfdffffff)]).toEqual([ALLOW, ALLOW, ALLOW]);
          for (const flags of [NEW_CGROUPS, NEW_CGROUPS | NEW_USERS, 0xffffffff]) {
            expect(made(flags)).toBe(EPERM);
            expect(made(BigInt(flags) | 1n << 40n)).toBe(EPERM);
          }
        }
        expect(answer(syscallNumber("clone3", arch))).toBe(ENOSYS);
      });

      test("sees of a family what the kernel sees, the low half", () => {
        for (const family of [AF_UNIX, AF_INET, AF_VSOCK]) {
          const wide = BigInt(family) | 0xdead_beefn << 32n;
          for (const name of ["socket", "socketpair"] as const) {
            const number = syscallNumber(name, arch);
            expect(answer(number, [wide])).toBe(answer(number, [family]));
          }
        }
      });

      test("kills what calls by another architecture's numbers", () => {
        const other = ARCHITECTURES[arch === "x64" ? "arm64" : "x64"];
        for (const architecture of [other, ...FOREIGN]) {
          for (const name of syscallNames()) {
            expect(runFilter(filter, { number: syscallNumber(name, arch), architecture })).toBe(KILL);
          }
        }
      });

      if (arch === "x64") {
        test("refuses every call by x32's numbers", () => {
          for (const name of syscallNames()) {
            expect(answer(0x40000000 + syscallNumber(name, arch), [AF_UNIX])).toBe(EPERM);
          }
          // x32 has numbers of its own too, and the highest number has that bit.
          for (const number of [0x40000000 + 512, 0x40000000 + 547, 0xffffffff]) {
            expect(answer(number)).toBe(EPERM);
          }
        });
      }
    });
  }
}

/** What each call gives, made by the helper under the filter: not less than 0, or -errno. */
async function resultsUnder(
  mode: NetworkMode,
  calls: readonly [SyscallName, ...number[]][],
): Promise<number[]> {
  const plan = new Program(process.arch as Arch);
  const results = plan.room(8 * calls.length);
  const filter = filterFor(mode, plan.arch);
  plan.call("prctl", [38, 1, 0, 0, 0], { what: "no new privileges" });
  plan.call("seccomp", [1, 0, plan.words(filter.length / 8, plan.bytes(filter))], { what: "the filter" });
  calls.forEach(([name, ...args], i) => {
    plan.call(name, args, { what: name, into: plan.after(results, 8 * i), onError: "ignore" });
  });
  plan.call("write", [1, results, 8 * calls.length], { what: "the results" });
  plan.call("exit_group", [0], { what: "the end" });
  const run = await runPlan(plan.build(), plan.arch);
  expect(run).toMatchObject({ exitCode: 0, failure: null });
  return calls.map((_, i) => Number(run.output.readBigInt64LE(8 * i)));
}

const native = process.arch === "x64" || process.arch === "arm64"
  ? runnerOf(process.arch)
  : "another architecture";

describe.skipIf(typeof native === "string")(
  `this machine's kernel${native.length > 0 ? ` (skipped: ${native})` : ""}`,
  () => {
    const CALLS: readonly [SyscallName, ...number[]][] = [
      ["socket", AF_UNIX, 1, 0],
      ["socket", AF_INET, 1, 0],
      ["socket", AF_NETLINK, 3, 0],
      ["bind", -1, 0, 0],
      ["ptrace", 7, -1, 0, 0],
      ["io_uring_enter", -1, 0, 0, 0, 0, 0],
      ["getppid"],
    ];
    const [EPERM_RESULT, EBADF_RESULT, ESRCH_RESULT] = [-1, -9, -3];

    for (
      const { mode, expected } of [
        { mode: "restricted", expected: ["made", "EPERM", "EPERM", "EPERM", "EPERM", "EPERM", "made"] },
        { mode: "proxied", expected: ["EPERM", "made", "EPERM", "EBADF", "EPERM", "EPERM", "made"] },
        { mode: "enabled", expected: ["made", "made", "made", "EBADF", "ESRCH", "EPERM", "made"] },
      ] as const
    ) {
      test(`takes the filter for the network ${mode} and does what it says`, async () => {
        const results = (await resultsUnder(mode, CALLS)).map((result) => {
          if (result >= 0) return "made";
          if (result === EPERM_RESULT) return "EPERM";
          if (result === EBADF_RESULT) return "EBADF";
          return result === ESRCH_RESULT ? "ESRCH" : result;
        });
        expect(results).toEqual([...expected]);
      });
    }
  },
);

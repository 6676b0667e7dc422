import { expect } from "bun:test";
import { chmodSync, chownSync, copyFileSync, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { READ_ONLY, runConfined } from "../../support/sandbox_context.ts";
import { runToEnd } from "../../support/target_process.ts";
import { needsRoot, setting } from "./invaders.ts";
import { terminal } from "./prey.ts";
import { raid } from "./raid.ts";

const O_RDWR_NOCTTY = 2 | 0o400;
const TIOCSTI = 0x5412;
const SESSION_KEYRING = -3;
const KEYCTL_UNLINK = 9;
const [BPF_MAP_CREATE, ARRAY] = [0, 2];
const S_IFCHR_666 = 0o20666;
const NULL_DEVICE = 0x103;
const AT_FDCWD = -100;
const OTHER_UID = 65_533;

/** The first disk there is. */
const disk = readdirSync("/sys/block").map((name) => `/dev/${name}`).find((path) => existsSync(path));

raid(({ attempt, test, invader }) => {
  attempt("a program of somebody else's does not make one somebody else", {
    prepare: ({ ground }) => {
      const program = join(ground.path, "id");
      copyFileSync(Bun.which("id") ?? "", program);
      chownSync(program, OTHER_UID, OTHER_UID);
      chmodSync(program, 0o4755);
      return { prey: program, end: () => {} };
    },
    script: ({ prey }) => `${prey} -u; test "$(${prey} -u)" = ${OTHER_UID}`,
    already: () => process.geteuid?.() === 0 ? null : "only root can make such a program",
    refused: new RegExp(`^${invader.uid}$`, "m"),
  });

  attempt("a device that lies in the workspace is nothing", {
    prepare: async ({ ground }) => {
      const device = join(ground.work, "device");
      await runToEnd(["mknod", "-m", "666", device, "c", "1", "3"]);
      return { prey: device, end: () => {} };
    },
    script: ({ prey }) => `echo x > ${prey}`,
    already: () => process.geteuid?.() === 0 ? null : "only root can make a device",
    refused: /Permission denied/,
  });

  attempt("no device can be made", {
    calls: (program, { ground }) => {
      const path = program.text(`${ground.work}/made`);
      program.call("mknodat", [AT_FDCWD, path, S_IFCHR_666, NULL_DEVICE], { what: "make" });
    },
    already: needsRoot("CAP_MKNOD"),
    refused: /make: EPERM/,
  });

  attempt("the disk is not there", {
    script: () => `: < ${disk}`,
    already: (invader) =>
      disk === undefined ? "there is no disk" : needsRoot("right to read the disk")(invader),
    refused: /No such file|cannot open/,
  });

  // Opened and never written: a sandbox that fails must not take the machine with it.
  for (
    const path of [
      "/proc/sys/kernel/core_pattern",
      "/proc/sysrq-trigger",
      "/sys/kernel/uevent_helper",
      "/sys/kernel/mm/transparent_hugepage/enabled",
    ]
  ) {
    attempt(`${path} cannot be opened for writing`, {
      script: () => `: >> ${path}`,
      already: (invader) =>
        existsSync(path) ? needsRoot(`right to write ${path}`)(invader) : "the kernel has none",
      refused: /Read-only file system/,
    });
  }

  attempt("keys of the session cannot be had or given", {
    calls: (program) => {
      const key = program.room(8);
      const [type, name] = [program.text("user"), program.text("exec-server-escape-test")];
      const args = [type, name, program.text("x"), 1, SESSION_KEYRING];
      program.call("add_key", args, { what: "add", into: key });
      program.call("keyctl", [KEYCTL_UNLINK, { load: key }, SESSION_KEYRING], { what: "take away" });
    },
    already: () => existsSync("/proc/keys") ? null : "the kernel has no keys",
    refused: /add: EPERM/,
  });

  attempt("no program for the kernel can be loaded", {
    calls: (program) => {
      const attributes = Buffer.alloc(72);
      [ARRAY, 4, 4, 1].forEach((value, i) => attributes.writeUInt32LE(value, i * 4));
      program.call("bpf", [BPF_MAP_CREATE, program.bytes(attributes), attributes.length], {
        what: "make a map",
      });
    },
    already: ({ isRoot }) => {
      const disabled = setting("kernel.unprivileged_bpf_disabled");
      return isRoot || disabled === "0" ? null : `kernel.unprivileged_bpf_disabled is ${disabled}`;
    },
    refused: /make a map: EPERM/,
  });

  attempt("nothing can be typed on somebody else's terminal", {
    prepare: terminal,
    calls: (program, { prey }) => {
      const fd = program.room(8);
      program.call("openat", [AT_FDCWD, program.text(prey), O_RDWR_NOCTTY, 0], { what: "open", into: fd });
      program.call("ioctl", [{ load: fd }, TIOCSTI, program.text("x")], { what: "type" });
    },
    already: (invader) =>
      setting("dev.tty.legacy_tiocsti") === "0" && !invader.isRoot
        ? "dev.tty.legacy_tiocsti is 0"
        : needsRoot("CAP_SYS_ADMIN, without which one types on one's own terminal only")(invader),
    refused: /open: ENOENT/,
  });

  attempt("a program that crashes leaves no core outside", {
    script: ({ ground }) =>
      `ulimit -c unlimited; cd ${ground.outside}; sh -c 'kill -SEGV $$'; ls; test -e core -o -e core.*`,
    already: () => {
      const pattern = setting("kernel.core_pattern");
      return pattern === "core" ? null : `kernel.core_pattern is ${pattern}`;
    },
    refused: /^file$/m,
  });

  attempt("a program of the machine's older kind is killed at its first call", {
    script: ({ ground }) => `${ground.path}/older`,
    prepare: async ({ ground }) => {
      await Bun.write(join(ground.path, "older"), i386Program());
      chmodSync(join(ground.path, "older"), 0o755);
      return { prey: "", end: () => {} };
    },
    already: () => {
      if (process.arch !== "x64") return "only x64 has programs of i386";
      return existsSync("/proc/sys/abi/vsyscall32") ? null : "the kernel runs no programs of i386";
    },
    refused: /Bad system call|^$/,
  });

  for (const tty of [false, true]) {
    test(`nothing is open but input and output, on ${tty ? "a terminal" : "pipes"}`, async ({ peer }) => {
      const script = "for fd in /proc/$$/fd/*; do readlink $fd; done";
      const { stdout, pty } = await runConfined(peer, READ_ONLY, script, { tty });
      const open = `${stdout}${pty}`.trim().split(/\r?\n/);
      expect(open).toHaveLength(3);
      for (const what of open) {
        expect(what).toMatch(tty ? /^\/(dev\/pts\/)?\d+$/ : /^(\/dev\/null|(pipe|socket):\[\d+\])$/);
      }
    });
  }
});

/** `exit(0)` as it was called before there was x64. */
function i386Program(): Uint8Array {
  const code = [0x31, 0xdb, 0x31, 0xc0, 0x40, 0xcd, 0x80]; // xor ebx, ebx; xor eax, eax; inc eax; int 0x80
  const [address, header, segment] = [0x0804_8000, 52, 32];
  const elf = Buffer.alloc(header + segment + code.length);
  elf.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  elf.writeUInt16LE(2, 16); // executable
  elf.writeUInt16LE(3, 18); // for i386
  elf.writeUInt32LE(1, 20);
  elf.writeUInt32LE(address + header + segment, 24);
  elf.writeUInt32LE(header, 28);
  elf.writeUInt16LE(header, 40);
  elf.writeUInt16LE(segment, 42);
  elf.writeUInt16LE(1, 44);
  const fields = [1, 0, address, address, elf.length, elf.length, 5, 0x1000];
  fields.forEach((field, i) => elf.writeUInt32LE(field, header + i * 4));
  elf.set(code, header + segment);
  return elf;
}

import { AF_INET, AF_INET6, AF_UNIX, AF_VSOCK } from "./linux.ts";
import { type Arch, type SyscallName, syscallNumber } from "./numbers.ts";

/**
 * restricted: no network; sockets of the machine's own only, and those cannot reach out.
 * proxied: managed network; internet sockets in a namespace where only our listeners are.
 * enabled: the network as it is.
 */
export type NetworkMode = "restricted" | "proxied" | "enabled";

/** They reach into other processes of the same user. */
const INTO_OTHERS = ["ptrace", "process_vm_readv", "process_vm_writev"] as const;

/** Its work is done by the kernel for the process, past every filter of calls. */
const IO_URING = ["io_uring_setup", "io_uring_enter", "io_uring_register"] as const;

/** What they reach belongs to the user, or to the machine, and not to a namespace: keys, and pinned maps of bpf. */
const OUT_OF_NAMESPACES = ["add_key", "request_key", "keyctl", "bpf"] as const;

/**
 * Who has a cgroup namespace of his own, which a user namespace of his own suffices for, may mount all the cgroups that
 * he is in and write there what he may write outside: root limits, freezes and kills whom it likes.
 */
const CLONE_NEWCGROUP = 0x0200_0000;
const MAKE_NAMESPACES = ["unshare", "clone"] as const;
/** Its flags are in memory, where a filter cannot look. Who hears that the kernel has none takes `clone`. */
const MAKES_UNSEEN = "clone3";

const TO_PEERS = [
  "connect",
  "accept",
  "accept4",
  "bind",
  "listen",
  "getpeername",
  "getsockname",
  "shutdown",
  "sendto",
  "sendmmsg",
  "recvmmsg",
  "getsockopt",
  "setsockopt",
] as const;

interface Refusals {
  calls: readonly SyscallName[];
  /** By the family, their first argument: refused if it is among these, or if it is not. */
  families: readonly { call: SyscallName; refuse: "these" | "others"; families: readonly number[] }[];
}

const REFUSALS: Record<NetworkMode, Refusals> = {
  restricted: {
    calls: [...TO_PEERS, ...INTO_OTHERS, ...IO_URING, ...OUT_OF_NAMESPACES],
    families: [
      { call: "socket", refuse: "others", families: [AF_UNIX] },
      { call: "socketpair", refuse: "others", families: [AF_UNIX] },
    ],
  },
  proxied: {
    calls: [...INTO_OTHERS, ...IO_URING, ...OUT_OF_NAMESPACES],
    families: [
      { call: "socket", refuse: "others", families: [AF_INET, AF_INET6] },
      { call: "socketpair", refuse: "others", families: [AF_UNIX] },
    ],
  },
  enabled: {
    calls: [...IO_URING, ...OUT_OF_NAMESPACES],
    families: [
      { call: "socket", refuse: "these", families: [AF_VSOCK] },
      { call: "socketpair", refuse: "these", families: [AF_VSOCK] },
    ],
  },
};

const LOAD = 0x20; // BPF_LD | BPF_W | BPF_ABS
const IF_EQUAL = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
const IF_BITS = 0x45; // BPF_JMP | BPF_JSET | BPF_K
const RETURN = 0x06; // BPF_RET | BPF_K

/** Where `struct seccomp_data` has what we look at; of the argument the low half, all that the kernel takes. */
const NUMBER = 0;
const ARCHITECTURE = 4;
const FIRST_ARGUMENT = 16;

const ALLOW = 0x7fff_0000;
const REFUSE = 0x0005_0001; // SECCOMP_RET_ERRNO | EPERM
const UNKNOWN = 0x0005_0026; // SECCOMP_RET_ERRNO | ENOSYS
const KILL = 0x8000_0000;

const AUDIT_ARCH: Record<Arch, number> = { x64: 0xc000_003e, arm64: 0xc000_00b7 };

/** x32 programs call by numbers with this bit, under the same architecture: another door to the same calls. */
const X32_BIT = 0x4000_0000;

/** The filter as the kernel wants it, 8 bytes an instruction. What it does not name is allowed. */
export function filterFor(mode: NetworkMode, arch: Arch): Uint8Array {
  const { calls, families } = REFUSALS[mode];
  const code: number[] = [];
  /** Jumps skip so many instructions; a return is placed behind each test, so that no jump goes far. */
  const add = (operation: number, value: number, ifTrue = 0, ifFalse = 0) => {
    code.push(operation | ifTrue << 16 | ifFalse << 24, value);
  };

  add(LOAD, ARCHITECTURE);
  add(IF_EQUAL, AUDIT_ARCH[arch], 1, 0);
  add(RETURN, KILL);
  add(LOAD, NUMBER);
  if (arch === "x64") {
    add(IF_BITS, X32_BIT, 0, 1);
    add(RETURN, REFUSE);
  }
  for (const call of calls) {
    add(IF_EQUAL, syscallNumber(call, arch), 0, 1);
    add(RETURN, REFUSE);
  }
  add(IF_EQUAL, syscallNumber(MAKES_UNSEEN, arch), 0, 1);
  add(RETURN, UNKNOWN);
  for (const call of MAKE_NAMESPACES) {
    add(IF_EQUAL, syscallNumber(call, arch), 0, 4);
    add(LOAD, FIRST_ARGUMENT);
    add(IF_BITS, CLONE_NEWCGROUP, 0, 1);
    add(RETURN, REFUSE);
    add(RETURN, ALLOW);
  }
  for (const { call, refuse, families: listed } of families) {
    // Past the load, the tests and two returns, if it is another call: the number is still loaded then.
    add(IF_EQUAL, syscallNumber(call, arch), 0, listed.length + 3);
    add(LOAD, FIRST_ARGUMENT);
    listed.forEach((family, i) => add(IF_EQUAL, family, listed.length - i, 0));
    add(RETURN, refuse === "these" ? ALLOW : REFUSE);
    add(RETURN, refuse === "these" ? REFUSE : ALLOW);
  }
  add(RETURN, ALLOW);
  return new Uint8Array(Uint32Array.from(code).buffer);
}

import {
  AF_INET,
  AT_FDCWD,
  CLONE_NEWIPC,
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWUSER,
  MS_PRIVATE,
  MS_REC,
  O_CLOEXEC,
  O_WRONLY,
} from "./linux.ts";
import type { Program } from "./program.ts";

export interface Namespaces {
  /** null: the server's own capabilities serve instead of a user namespace. */
  readonly user: { readonly uid: number; readonly gid: number } | null;
  /** Not for a view that no process lives in. */
  readonly pid: boolean;
  readonly network: "restricted" | "enabled";
}

const SOCK_DGRAM_CLOEXEC = 2 | O_CLOEXEC;
const SIOCSIFFLAGS = 0x8914;
const IFF_UP = 1;
const IFREQ_BYTES = 40;
const IFNAMSIZ = 16;

/** Leaves the server's namespaces, with a mount tree of its own that nobody else sees change. */
export function enterNamespaces(program: Program, { user, pid, network }: Namespaces): void {
  const flags = CLONE_NEWNS | CLONE_NEWIPC | (pid ? CLONE_NEWPID : 0) | (user === null ? 0 : CLONE_NEWUSER) |
    (network === "restricted" ? CLONE_NEWNET : 0);
  program.call("unshare", [flags >>> 0], { what: "unshare" });
  if (user !== null) {
    // Without this an ordinary user may not map groups: they could be used to take rights away.
    writeFile(program, "/proc/self/setgroups", "deny");
    writeFile(program, "/proc/self/gid_map", `${user.gid} ${user.gid} 1\n`);
    writeFile(program, "/proc/self/uid_map", `${user.uid} ${user.uid} 1\n`);
  }
  if (network === "restricted") raiseLoopback(program);
  program.call("mount", [0, program.text("/"), 0, MS_REC | MS_PRIVATE, 0], { what: "make mounts private" });
}

function writeFile(program: Program, path: string, text: string): void {
  const fd = program.room(8);
  program.call("openat", [AT_FDCWD, program.text(path), O_WRONLY | O_CLOEXEC, 0], {
    what: "open",
    path,
    into: fd,
  });
  program.call("write", [{ load: fd }, program.text(text), text.length], { what: "write", path });
  program.call("close", [{ load: fd }], { what: "close", path });
}

/** A new network namespace has the loopback alone, and that is down. */
function raiseLoopback(program: Program): void {
  const what = "raise the loopback";
  const request = Buffer.alloc(IFREQ_BYTES);
  request.write("lo");
  request.writeUInt16LE(IFF_UP, IFNAMSIZ);
  const fd = program.room(8);
  program.call("socket", [AF_INET, SOCK_DGRAM_CLOEXEC, 0], { what, into: fd });
  program.call("ioctl", [{ load: fd }, SIOCSIFFLAGS, program.bytes(request)], { what });
  program.call("close", [{ load: fd }], { what });
}

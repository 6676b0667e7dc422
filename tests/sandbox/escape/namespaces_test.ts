import { readFileSync } from "node:fs";
import type { Program } from "../../../lib/sandbox/program.ts";
import { workspaceWrite } from "../../support/sandbox_context.ts";
import { needsRoot } from "./invaders.ts";
import { raid } from "./raid.ts";

const AT_FDCWD = -100;
const NEWNS = 0x0002_0000;
const NEWCGROUP = 0x0200_0000;
const NEWUSER = 0x1000_0000;
const NEWPID = 0x2000_0000;
const NEWNET = 0x4000_0000;
const SIGCHLD = 17;
const MS_REMOUNT = 32;
const MS_BIND = 4096;
const MS_REC = 16384;
const MS_PRIVATE = 1 << 18;
const OPEN_TREE_CLONE = 1;
const MOUNT_ATTR_RDONLY = 1;
const NOTHING = 0;

/** Every right there is, over namespaces of one's own: what an ordinary user may have too. */
function beRoot(program: Program, more: number): void {
  program.call("unshare", [NEWUSER | NEWNS | more], { what: "unshare" });
  program.call("mount", [NOTHING, program.text("/"), NOTHING, MS_REC | MS_PRIVATE, NOTHING], {
    what: "own mounts",
  });
}

raid(({ attempt }) => {
  attempt("there are no mounts of one's own with the rights that one has", {
    calls: (program) => program.call("unshare", [NEWNS], { what: "unshare" }),
    already: needsRoot("CAP_SYS_ADMIN"),
    refused: /unshare: EPERM/,
  });

  attempt("the root cannot be changed", {
    calls: (program, { ground }) => program.call("chroot", [program.text(ground.work)], { what: "chroot" }),
    already: needsRoot("CAP_SYS_CHROOT"),
    refused: /chroot: EPERM/,
  });

  attempt("who is root of a user namespace in there cannot make writable what is not", {
    calls: (program) => {
      beRoot(program, 0);
      const writable = program.words(0, MOUNT_ATTR_RDONLY, 0, 0);
      const root = program.text("/");
      program.call("mount_setattr", [AT_FDCWD, root, 0, writable, 32], { what: "open" });
    },
    refused: /open: EPERM/,
  });

  attempt("nor by mounting it anew", {
    calls: (program) => {
      beRoot(program, 0);
      const args = [NOTHING, program.text("/"), NOTHING, MS_REMOUNT | MS_BIND, NOTHING];
      program.call("mount", args, { what: "remount" });
    },
    refused: /remount: EPERM/,
  });

  attempt("nor look below the masks of the workspace, by a copy without them", {
    calls: (program, { ground }) => {
      beRoot(program, 0);
      const args = [AT_FDCWD, program.text(ground.work), OPEN_TREE_CLONE];
      program.call("open_tree", args, { what: "copy" });
    },
    refused: /copy: EINVAL/,
  });

  attempt("nor by a mount of it elsewhere", {
    calls: (program, { ground }) => {
      beRoot(program, 0);
      const at = program.text(`${ground.work}/.git`);
      program.call("mount", [program.text(ground.work), at, NOTHING, MS_BIND, NOTHING], { what: "bind" });
    },
    refused: /bind: EINVAL/,
  });

  attempt("nor have a /proc in which nothing is covered", {
    calls: (program, { ground }) => {
      beRoot(program, NEWPID);
      const [child, asChild, info] = [program.room(8), program.label(), program.room(128)];
      program.call("clone", [SIGCHLD, 0, 0, 0, 0], { what: "clone", into: child, onZero: asChild });
      program.call("waitid", [1, { load: child }, info, 4, 0], { what: "wait" });
      program.call("exit_group", [{ load: program.after(info, 24) }], { what: "exit" });
      program.place(asChild);
      const [proc, at] = [program.text("proc"), program.text(ground.work)];
      program.call("mount", [proc, at, proc, NOTHING, NOTHING], { what: "mount proc" });
    },
    already: () => hasMaskedProc() ? "this machine's own /proc is masked" : null,
    refused: /mount proc: EPERM/,
  });

  attempt("nor have a /sys that can be written", {
    calls: (program, { ground }) => {
      beRoot(program, NEWNET);
      const [sysfs, at] = [program.text("sysfs"), program.text(ground.work)];
      program.call("mount", [sysfs, at, sysfs, NOTHING, NOTHING], { what: "mount sysfs" });
    },
    refused: /mount sysfs: EPERM/,
  });

  for (const network of ["restricted", "enabled"]) {
    attempt(`nor write into the cgroups that everybody is in, with the network ${network}`, {
      calls: (program, { ground }) => {
        beRoot(program, NEWCGROUP);
        const [cgroup, at] = [program.text("cgroup2"), program.text(ground.work)];
        program.call("mount", [cgroup, at, cgroup, NOTHING, NOTHING], { what: "mount cgroups" });
      },
      sandbox: ({ work }) => workspaceWrite(work, network),
      refused: /unshare: EPERM/,
    });
  }

  for (const call of ["clone", "clone3"] as const) {
    attempt(`nor by ${call}`, {
      calls: (program) => {
        const asChild = program.label();
        const args = call === "clone"
          ? [NEWUSER | NEWCGROUP | SIGCHLD, 0, 0, 0, 0]
          : [program.words(NEWUSER | NEWCGROUP, 0, 0, 0, SIGCHLD, 0, 0, 0), 64];
        program.call(call, args, { what: call, onZero: asChild });
        program.place(asChild);
      },
      refused: call === "clone" ? /clone: EPERM/ : /clone3: ENOSYS/,
    });
  }
});

function hasMaskedProc(): boolean {
  const mounts = readFileSync("/proc/self/mounts", "utf8");
  return /^\S+ \/proc\//m.test(mounts);
}

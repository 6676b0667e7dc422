import { isWithin } from "./byte_path.ts";
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  MNT_DETACH,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_RDONLY,
  MOVE_MOUNT_F_EMPTY_PATH,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  OPEN_TREE_CLOEXEC,
  OPEN_TREE_CLONE,
} from "./linux.ts";
import { type Attachment, type MountPlan, type MountPoint, SHARED_MEMORY } from "./mounts.ts";
import {
  ABSENT,
  closeDev,
  copyDevices,
  DENIED_DIRECTORY,
  DENIED_FILE,
  makeDev,
  makePoint,
  mountNew,
  passagePath,
} from "./plan_dev.ts";
import { attach, copyTree, setMountAttributes } from "./plan_mounts.ts";
import type { Address, Program } from "./program.ts";

const PLAIN = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
const READ_ONLY = PLAIN | MOUNT_ATTR_RDONLY;

/** The minimal view grows in this directory of the host's, and then takes its place. */
const SEEDBED = "/tmp";

/**
 * Builds what the target will see, in a mount tree of our own, all but /proc: that wants a process of the new pid
 * namespace. Of the minimal view the old root is left beneath the new one, since /proc is given only to those
 * who see one already.
 */
export function buildView(program: Program, view: MountPlan): void {
  const root = view.base === "minimal" ? SEEDBED : "";
  // All copies before anything is covered or made read-only: they keep what they are copied with.
  const copies = view.clones.map(({ path, access }) =>
    copyTree(program, path, access === "write" ? PLAIN : READ_ONLY)
  );
  const devices = copyDevices(program);
  if (view.base === "minimal") {
    mountNew(program, "tmpfs", root, MS_NOSUID | MS_NODEV, "mode=0755");
    makePoint(program, `${root}/dev`, "directory", 0o755);
    makePoint(program, `${root}/proc`, "directory", 0o555);
  } else {
    const attributes = view.base === "writable" ? PLAIN : READ_ONLY;
    setMountAttributes(program, "/", attributes, { what: "limit", path: "/", recursive: true });
  }
  makeDev(program, root, devices, view.passages);
  const isShared = ({ path }: MountPoint) => isWithin(path, SHARED_MEMORY);
  const make = ({ path, kind }: MountPoint) => makePoint(program, root + path, kind, 0o755);
  view.skeleton.filter((point) => !isShared(point)).forEach(make);
  for (const { path, target } of view.links) {
    const args = [program.text(target), AT_FDCWD, program.text(root + path)];
    program.call("symlinkat", args, { what: "link", path });
  }
  closeDev(program, root);
  view.skeleton.filter(isShared).forEach(make);
  for (const attachment of view.attachments) {
    attach(program, source(program, root, attachment, copies), root, attachment.path);
  }
  if (view.base !== "minimal") return;
  setMountAttributes(program, root, MOUNT_ATTR_RDONLY, { what: "make read-only", path: "/" });
  const here = program.text(".");
  program.call("chdir", [program.text(root)], { what: "enter the new root" });
  program.call("pivot_root", [here, here], { what: "pivot_root" });
}

/** For the minimal view, when it is whole: nothing of the host is beneath it any more. */
export function dropOldRoot(program: Program): void {
  program.call("umount2", [program.text("."), MNT_DETACH], { what: "drop the old root" });
}

function source(
  program: Program,
  root: string,
  attachment: Attachment,
  copies: readonly Address[],
): Address {
  switch (attachment.what) {
    case "clone":
      return copies[attachment.index]!;
    case "passage":
      return mask(program, root + passagePath(attachment.index));
    case "denied directory":
      return mask(program, root + DENIED_DIRECTORY);
    case "denied file":
      return mask(program, root + DENIED_FILE);
    case "absent":
      return mask(program, root + ABSENT);
  }
}

/** Read-only, since /dev is by now. */
function mask(program: Program, path: string): Address {
  const copy = program.room(8);
  const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
  program.call("open_tree", [AT_FDCWD, program.text(path), flags], { what: "copy", path, into: copy });
  return copy;
}

/** What in /proc speaks to the kernel instead of about it: who is root outside could write there. */
export const PROC_TO_COVER = ["/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus"] as const;
/** More of it, that is of interest to root alone. */
export const PROC_TO_COVER_FROM_ROOT = [
  "/proc/fs",
  "/proc/acpi",
  "/proc/mtrr",
  "/proc/scsi",
  "/proc/driver",
  "/proc/dynamic_debug",
] as const;

/** A /proc of the new pid namespace, to be made by a process in it. `covered`: those of the above that are there. */
export function mountProc(program: Program, covered: readonly string[]): void {
  mountNew(program, "proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "");
  const [nothing, set] = [program.text(""), program.words(READ_ONLY | MOUNT_ATTR_NOEXEC, 0, 0, 0)];
  for (const path of covered) {
    const copy = mask(program, path);
    program.call("mount_setattr", [{ load: copy }, nothing, AT_EMPTY_PATH, set, 32], { what: "limit", path });
    // Names in /proc are the kernel's. The descriptor goes with the program's start.
    const args = [{ load: copy }, nothing, AT_FDCWD, program.text(path), MOVE_MOUNT_F_EMPTY_PATH];
    program.call("move_mount", args, { what: "attach", path });
  }
}

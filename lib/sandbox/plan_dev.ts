import type { BytePath } from "./byte_path.ts";
import {
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_RDONLY,
  MOVE_MOUNT_F_EMPTY_PATH,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  OPEN_TREE_CLOEXEC,
  OPEN_TREE_CLONE,
  S_IFREG,
} from "./linux.ts";
import { DEVICES, type MountPoint, SHARED_MEMORY } from "./mounts.ts";
import { setMountAttributes } from "./plan_mounts.ts";
import type { Address, Program } from "./program.ts";

/**
 * What masks are made of stands in the sandbox's own /dev: attaching one of these again costs less than a file
 * system for each.
 */
export const MASKS = "/dev/.masks";
export const DENIED_FILE = `${MASKS}/file`;
export const DENIED_DIRECTORY = `${MASKS}/directory`;
export const ABSENT = `${MASKS}/absent`;

export function passagePath(index: number): BytePath {
  return `${MASKS}/${index}`;
}

const LINKS = [
  ["fd", "/proc/self/fd"],
  ["stdin", "/proc/self/fd/0"],
  ["stdout", "/proc/self/fd/1"],
  ["stderr", "/proc/self/fd/2"],
  ["ptmx", "pts/ptmx"],
] as const;

/** Copies of the host's devices, to be taken while they can be seen. */
export function copyDevices(program: Program): Address[] {
  return DEVICES.map((name) => {
    const copy = program.room(8);
    const path = `/dev/${name}`;
    const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW;
    program.call("open_tree", [AT_FDCWD, program.text(path), flags], { what: "copy", path, into: copy });
    return copy;
  });
}

/**
 * A /dev with the few devices that programs expect, terminals of its own, and nothing of the host's: as root, block
 * devices could be opened through a read-only mount. Left writable, for mount points to come.
 */
export function makeDev(
  program: Program,
  root: string,
  devices: readonly Address[],
  passages: readonly (readonly MountPoint[])[],
): void {
  const dev = `${root}/dev`;
  mountNew(program, "tmpfs", dev, MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755");
  DEVICES.forEach((name, i) => {
    const path = program.text(`${dev}/${name}`);
    program.call("mknodat", [AT_FDCWD, path, S_IFREG, 0], { what: "make", path: `/dev/${name}` });
    const args = [{ load: devices[i]! }, program.text(""), AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH];
    program.call("move_mount", args, { what: "attach", path: `/dev/${name}` });
  });
  for (const [name, target] of LINKS) {
    const args = [program.text(target), AT_FDCWD, program.text(`${dev}/${name}`)];
    program.call("symlinkat", args, { what: "link", path: `/dev/${name}` });
  }
  makePoint(program, `${dev}/pts`, "directory", 0o755);
  makePoint(program, `${dev}/shm`, "directory", 0o777);
  makeMasks(program, root, passages);
}

function makeMasks(program: Program, root: string, passages: readonly (readonly MountPoint[])[]): void {
  makePoint(program, root + MASKS, "directory", 0o555);
  makePoint(program, root + DENIED_FILE, "file", 0);
  makePoint(program, root + DENIED_DIRECTORY, "directory", 0);
  makePoint(program, root + ABSENT, "directory", 0o555);
  passages.forEach((points, i) => {
    // May be passed through by those who know what is behind, and not looked at.
    makePoint(program, root + passagePath(i), "directory", 0o111);
    for (const { path, kind } of points) makePoint(program, `${root}${passagePath(i)}/${path}`, kind, 0o111);
  });
}

/**
 * Masks that are attached from now on cannot be changed either, nor the modes and times of the devices, which are
 * the host's; writing to them is no writing to a file system. What is mounted after this is the sandbox's own.
 */
export function closeDev(program: Program, root: string): void {
  const attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
  setMountAttributes(program, `${root}/dev`, attributes, { what: "limit", path: "/dev", recursive: true });
  mountNew(program, "devpts", `${root}/dev/pts`, MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666");
  mountNew(program, "tmpfs", root + SHARED_MEMORY, MS_NOSUID | MS_NODEV, "mode=1777");
}

export function makePoint(program: Program, path: string, kind: "directory" | "file", mode: number): void {
  const at = program.text(path);
  if (kind === "directory") program.call("mkdirat", [AT_FDCWD, at, mode], { what: "make directory", path });
  else program.call("mknodat", [AT_FDCWD, at, S_IFREG | mode, 0], { what: "make file", path });
}

/** Only for places of our own making: this call follows symlinks. */
export function mountNew(program: Program, type: string, path: string, flags: number, data: string): void {
  const args = [program.text(type), program.text(path), program.text(type), flags, program.text(data)];
  program.call("mount", args, { what: `mount ${type} on`, path });
}

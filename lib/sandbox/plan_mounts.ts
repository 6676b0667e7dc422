import type { BytePath } from "./byte_path.ts";
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_RECURSIVE,
  MOVE_MOUNT_F_EMPTY_PATH,
  MOVE_MOUNT_T_EMPTY_PATH,
  O_CLOEXEC,
  O_PATH,
  OPEN_TREE_CLOEXEC,
  OPEN_TREE_CLONE,
  RESOLVE_NO_SYMLINKS,
} from "./linux.ts";
import type { Address, CallOptions, Program } from "./program.ts";

/** Opens by name only, and fails where a symlink is on the way: names were resolved before, and may have changed. */
export function openWithoutSymlinks(program: Program, path: BytePath, shown: BytePath): Address {
  const fd = program.room(8);
  const how = program.words(O_PATH | O_CLOEXEC, 0, RESOLVE_NO_SYMLINKS);
  program.call("openat2", [AT_FDCWD, program.text(path), how, 24], { what: "open", path: shown, into: fd });
  return fd;
}

/** A tree of the host with all that is mounted in it, attached nowhere yet. */
export function copyTree(program: Program, path: BytePath, attributes: number): Address {
  const at = openWithoutSymlinks(program, path, path);
  const copy = program.room(8);
  const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE;
  program.call("open_tree", [{ load: at }, program.text(""), flags], { what: "copy", path, into: copy });
  program.call("close", [{ load: at }], { what: "close", path });
  const set = program.words(attributes, 0, 0, 0);
  const args = [{ load: copy }, program.text(""), AT_EMPTY_PATH | AT_RECURSIVE, set, 32];
  program.call("mount_setattr", args, { what: "limit", path });
  return copy;
}

/** Puts a copy where the path leads in the view so far. */
export function attach(program: Program, copy: Address, root: string, path: BytePath): void {
  const at = openWithoutSymlinks(program, root + path, path);
  const nothing = program.text("");
  const flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
  program.call("move_mount", [{ load: copy }, nothing, { load: at }, nothing, flags], {
    what: "attach",
    path,
  });
  program.call("close", [{ load: at }], { what: "close", path });
  program.call("close", [{ load: copy }], { what: "close", path });
}

/** Adds to the attributes of the mount at a place that nobody else can have changed. */
export function setMountAttributes(
  program: Program,
  path: string,
  attributes: number,
  options: CallOptions & { recursive?: boolean },
): void {
  const flags = options.recursive === true ? AT_RECURSIVE : 0;
  const set = program.words(attributes, 0, 0, 0);
  program.call("mount_setattr", [AT_FDCWD, program.text(path), flags, set, 32], options);
}

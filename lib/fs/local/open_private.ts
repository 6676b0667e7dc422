import { closeSync, constants, fchmodSync, fstatSync } from "node:fs";
import type { NativePath } from "../file_system.ts";
import { FsError } from "../fs_error.ts";
import { checkedPath, shown } from "./native_bytes.ts";
import type { Place, SystemPath } from "./place.ts";
import type { RegularFile } from "./read_file.ts";
import { now } from "./system_call.ts";

const PRIVATE = 0o600;
const OPEN = constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const CREATE = OPEN | constants.O_CREAT | constants.O_EXCL;

/** Somebody may remove it between the two ways to open it; who does so again and again is not kept up with. */
const TRIES = 3;

/** Why something that is there does not open: a link, a directory, a pipe without a reader, not for us. */
const NOT_OURS = new Set(["ELOOP", "EISDIR", "ENXIO", "EACCES", "EPERM"]);

/**
 * A file that nobody else may look into, new or certainly ours: others may write into the directory too, and what
 * stands under a name that they can guess may be theirs.
 */
export function openPrivate(place: Place, path: NativePath): RegularFile {
  const checked = checkedPath(path);
  for (let tries = 0; tries < TRIES; tries++) {
    const created = openUnless("EEXIST", place, checked, CREATE);
    if (typeof created === "number") return emptyFile(created);
    const opened = openUnless("ENOENT", place, checked, OPEN);
    if (typeof opened === "number") return certainlyOurs(opened, path);
    if (NOT_OURS.has(opened)) throw refusal(path);
  }
  throw refusal(path);
}

/** The descriptor, or the errno where it is this one, or one of those that mean that it is another's. */
function openUnless(errno: string, place: Place, path: SystemPath, flags: number): number | string {
  try {
    return place.open(path, flags, PRIVATE);
  } catch (error) {
    const code = error instanceof FsError ? error.errno : null;
    if (code !== null && (code === errno || flags === OPEN && NOT_OURS.has(code))) return code;
    throw error;
  }
}

/** A mask that takes from the owner too would make it another's the next time. */
function emptyFile(fd: number): RegularFile {
  try {
    now(() => fchmodSync(fd, PRIVATE));
    return { fd, size: 0 };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function certainlyOurs(fd: number, path: NativePath): RegularFile {
  const found = fstatSync(fd);
  const isOurs = found.isFile() && found.uid === process.geteuid?.() && found.nlink === 1 &&
    (found.mode & 0o7777) === PRIVATE;
  if (isOurs) return { fd, size: found.size };
  closeSync(fd);
  throw refusal(path);
}

function refusal(path: NativePath): FsError {
  return new FsError("refused", `path \`${shown(path)}\` is not a private file of this user`);
}

import { constants, lstatSync, opendirSync, openSync } from "node:fs";
import type { Stats } from "node:fs";
import { osErrorCode, osErrorText } from "../base/os_error.ts";
import { type BytePath, nativeBytes, shownPath } from "./byte_path.ts";
import { UnenforceableError } from "./unenforceable.ts";

/**
 * The time of last change that our directories bear, in seconds: an arbitrary moment, even as some disks want it.
 * Whoever puts something into one, or takes it out again, changes it: what bears it is empty and ours, whichever
 * server made it and however that ended.
 */
export const MARK = 1_163_412_802;

/** Between its making and its marking a directory is only new. */
const NEW_MS = 2_000;

export function isMarked(path: BytePath): boolean {
  const stats = statNamed(path);
  return stats !== null && stats.isDirectory() && stats.mtimeMs === MARK * 1000 && isEmpty(path);
}

/** Whether it is a mask point of somebody, or might be on the way to become one. */
export function mayBecomeMarked(path: BytePath): boolean {
  const stats = statNamed(path);
  if (stats === null || !stats.isDirectory()) return false;
  if (stats.mtimeMs !== MARK * 1000 && Math.abs(Date.now() - stats.ctimeMs) > NEW_MS) return false;
  return isEmpty(path);
}

/** Null where it has no such name. */
export function statNamed(path: BytePath): Stats | null {
  try {
    return lstatSync(nativeBytes(path), { throwIfNoEntry: false }) ?? null;
  } catch {
    return null; // out of reach
  }
}

/** Null where there is none. */
export function openDirectory(path: BytePath): number | null {
  try {
    return openSync(nativeBytes(path), constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (error) {
    const code = osErrorCode(error) ?? "EIO";
    if (code === "ENOENT") return null;
    // A file of that name, for instance, whose meaning nobody has looked at.
    throw new UnenforceableError(`hold the place of ${shownPath(path)}: ${osErrorText(code)}`);
  }
}

function isEmpty(path: BytePath): boolean {
  try {
    const directory = opendirSync(nativeBytes(path), { bufferSize: 1 });
    try {
      return directory.readSync() === null;
    } finally {
      directory.closeSync();
    }
  } catch {
    return false; // ours could be read
  }
}

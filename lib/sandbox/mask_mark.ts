import { constants, lstatSync, openSync, readdirSync } from "node:fs";
import type { Stats } from "node:fs";
import { osErrorCode, osErrorText } from "../base/os_error.ts";
import { type BytePath, nativeBytes, shownPath } from "./byte_path.ts";
import { UnenforceableError } from "./unenforceable.ts";

/**
 * The time of last change that our directories bear, in seconds: an arbitrary moment, even as some disks want it.
 * Whoever puts something into one, or takes it out again, changes it.
 */
export const MARK = 1_163_412_802;

/**
 * What we put into ours, so that nobody takes one for empty and removes it under a running sandbox. A link is made by
 * one call, and `find -empty` does not mean it. It leads nowhere: a pattern that denies it must not deny anything else.
 */
export const KEPT = { name: "kept-for-a-running-sandbox", target: "nothing" } as const;

/** Whether it is ours, whichever server made it and however that ended, and nobody has put anything into it. */
export function isMarked(path: BytePath): boolean {
  const stats = statNamed(path);
  if (stats === null || !stats.isDirectory()) return false;
  const names = namesIn(path);
  if (names?.length === 0) return stats.mtimeMs === MARK * 1000; // not every disk has links
  return names?.length === 1 && names[0] === KEPT.name;
}

/** A directory that nothing is in but what is ours. Somebody may be about to mark it, or to remove it. */
export function isVacant(path: BytePath): boolean {
  if (statNamed(path)?.isDirectory() !== true) return false;
  return namesIn(path)?.every((name) => name === KEPT.name) ?? false; // ours could be read
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

function namesIn(path: BytePath): string[] | null {
  try {
    return readdirSync(nativeBytes(path));
  } catch {
    return null;
  }
}

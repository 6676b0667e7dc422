import { constants, fstatSync, lstatSync, unlinkSync } from "node:fs";
import type { Soon } from "../file_system.ts";
import { FsError } from "../fs_error.ts";
import { cutFile } from "./cut_file.ts";
import type { Spot } from "./place.ts";
import { now, unlessMissing } from "./system_call.ts";

export interface OpenedFile {
  readonly fd: number;
  /** There was nothing of that name. */
  readonly isNew: boolean;
}

/** Opens what is there, or else a new file, and tells which. `flags` without those that create. */
export function openOrCreate(
  open: (flags: number, mode: number) => number,
  flags: number,
  mode: number,
): OpenedFile {
  try {
    return { fd: open(flags, mode), isNew: false };
  } catch (error) {
    if (!(error instanceof FsError && error.errno === "ENOENT")) throw error;
  }
  try {
    return { fd: open(flags | constants.O_CREAT | constants.O_EXCL, mode), isNew: true };
  } catch (error) {
    if (!(error instanceof FsError && error.errno === "EEXIST")) throw error;
  }
  // Somebody was quicker, or a link leads to where nothing is: not ours to remove.
  return { fd: open(flags | constants.O_CREAT, mode), isNew: false };
}

/** Removes a new file that came to nothing, unless another one has its name by now. It is still to be closed. */
export function removeNew({ path }: Spot, fd: number): Soon<void> {
  const exact = { bigint: true } as const;
  const [ours, there] = [fstatSync(fd, exact), unlessMissing(() => lstatSync(path, exact))];
  if (there?.ino !== ours.ino || there.dev !== ours.dev) return;
  now(() => unlinkSync(path));
  // Closing the last that is left of it would give its room back in one go.
  return cutFile(fd, Number(ours.size));
}

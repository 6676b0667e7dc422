import { statfsSync } from "node:fs";
import { FsError } from "../fs_error.ts";
import { pathOf } from "./native_bytes.ts";
import { asFsError } from "./system_call.ts";

/** Where the kernel sees every change: its own file systems on disk and in memory. Others change behind its back. */
const SURE_FILE_SYSTEMS: ReadonlySet<number> = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // xfs
  0x9123683e, // btrfs
  0xf2f52010, // f2fs
  0xca451a4e, // bcachefs
  0x2fc12fc1, // zfs
  0x01021994, // tmpfs
  0x858458f6, // ramfs
  0x794c7630, // overlay
]);

/** Whether each change below is told to who watches. False also where the place is not to be seen. */
export function isOnSureFileSystem(path: string): boolean {
  try {
    return SURE_FILE_SYSTEMS.has(Number(statfsSync(pathOf(path)).type) >>> 0);
  } catch (error) {
    if (asFsError(error) instanceof FsError) return false;
    throw error;
  }
}

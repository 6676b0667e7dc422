import { accessSync, constants, lstatSync } from "node:fs";
import { type BytePath, nativeBytes } from "./byte_path.ts";

/**
 * Whether somebody with this server's rights could make something in the directory, if need be after a chmod.
 * Where nobody could, nothing has to be put in the way.
 */
export function couldMakeIn(directory: BytePath): boolean {
  const native = nativeBytes(directory);
  try {
    accessSync(native, constants.W_OK);
    return true;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    if (code === "EROFS") return false;
    const stats = lstatSync(native, { throwIfNoEntry: false });
    return stats === undefined || stats.uid === process.geteuid?.(); // who took it away may put it back
  }
}

import { renameSync, symlinkSync } from "node:fs";
import type { NativePath } from "../file_system.ts";
import { systemError } from "../fs_error.ts";
import { checkedPath } from "./native_bytes.ts";
import { now } from "./system_call.ts";

// What gives names, and leaves alone what is behind them.

export function rename(from: NativePath, to: NativePath): void {
  const [source, destination] = [checkedPath(from), checkedPath(to)];
  now(() => renameSync(source, destination));
}

export function createSymlink(path: NativePath, target: NativePath): void {
  const [place, text] = [checkedPath(path), checkedPath(target)];
  // The runtime has words of its own for a target of no bytes.
  if (text.length === 0) throw systemError("ENOENT");
  now(() => symlinkSync(text, place));
}

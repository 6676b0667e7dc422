import { renameSync, symlinkSync } from "node:fs";
import type { NativePath } from "../file_system.ts";
import { systemError } from "../fs_error.ts";
import { checkedPath } from "./native_bytes.ts";
import type { Place } from "./place.ts";
import { now } from "./system_call.ts";

// What gives names, and leaves alone what is behind them.

export function rename(place: Place, from: NativePath, to: NativePath): void {
  const [checkedFrom, checkedTo] = [checkedPath(from), checkedPath(to)];
  using source = place.spot(checkedFrom);
  using destination = place.spot(checkedTo);
  source.checkMovable();
  destination.checkMovable();
  now(() => renameSync(source.path, destination.path));
}

export function createSymlink(place: Place, path: NativePath, target: NativePath): void {
  const [checked, text] = [checkedPath(path), checkedPath(target)];
  // The runtime has words of its own for a target of no bytes.
  if (text.length === 0) throw systemError("ENOENT");
  using spot = place.spot(checked);
  now(() => symlinkSync(text, spot.path));
}

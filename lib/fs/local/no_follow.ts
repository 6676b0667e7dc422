import { FsError } from "../fs_error.ts";
import type { NativePath } from "../file_system.ts";
import { byteString, checkedPath } from "./native_bytes.ts";
import type { Place, Spot } from "./place.ts";

/** Does something with the last name of a path, when no link leads to it. What it does must end at once. */
export function withoutFollowing<T>(place: Place, path: NativePath, act: (spot: Spot) => T): T {
  if (namesOf(path).length === 0) throw new FsError("refused", "path must name an entry");
  using spot = place.spot(checkedPath(path), "refuse");
  return act(spot);
}

export function refusedLink(): FsError {
  return new FsError("refused", "path contains a symbolic link");
}

export function namesOf(path: NativePath): string[] {
  checkedPath(path);
  return byteString(path).split("/").filter((name) => name !== "" && name !== ".");
}

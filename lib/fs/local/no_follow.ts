import { FsError } from "../fs_error.ts";
import type { NativePath } from "../file_system.ts";
import { HeldDirectory } from "./held_directory.ts";
import { byteString, checkedPath } from "./native_bytes.ts";

/** Does something with the last name of a path, when no link leads to it. What it does must end at once. */
export function withoutFollowing<T>(path: NativePath, act: (place: string | Buffer) => T): T {
  const names = namesOf(path);
  const last = names.pop();
  if (last === undefined) throw new FsError("refused", "path must name an entry");
  using parent = enterAll(names);
  return act(parent.path(last));
}

export function namesOf(path: NativePath): string[] {
  checkedPath(path);
  return byteString(path).split("/").filter((name) => name !== "" && name !== ".");
}

/** Goes from the root through these names. `make` is called before each, and may put a directory there. */
export function enterAll(
  names: readonly string[],
  make?: (place: string | Buffer) => void,
): HeldDirectory {
  if (!HeldDirectory.isSure) {
    throw new FsError("unsupported", "paths cannot be used without following links on this machine");
  }
  let here = HeldDirectory.open("/");
  for (const name of names) {
    using above = here;
    make?.(above.path(name));
    here = above.enter(name);
  }
  return here;
}

export function refusedLink(): FsError {
  return new FsError("refused", "path contains a symbolic link");
}

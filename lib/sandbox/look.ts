import { lstatSync, readlinkSync } from "node:fs";
import { type BytePath, child, joined, namesOf, nativeBytes, parentOf, shownPath } from "./byte_path.ts";
import { UnenforceableError } from "./unenforceable.ts";

/** A symlink on the way. Its own path is resolved up to it. */
export interface Link {
  readonly path: BytePath;
  readonly target: string;
}

/** What stands at a path. All symlinks are followed, and told. */
export type Look =
  & { readonly links: readonly Link[] }
  & (
    | { readonly found: true; readonly path: BytePath; readonly isDirectory: boolean }
    /** `path` is resolved and the first that could not be reached; `whole` is all that was to be reached. */
    | {
      readonly found: false;
      readonly path: BytePath;
      readonly whole: BytePath;
      readonly reason: Unreachable;
    }
  );

interface DiskEntry {
  readonly isDirectory: boolean;
  /** Of a symlink. */
  readonly target: string | null;
}

/** What stood where, as far as somebody has looked: who looks once more sees the same, and sooner. */
export type Seen = Map<BytePath, DiskEntry | Unreachable>;

type Unreachable = "ENOENT" | "ENOTDIR" | "EACCES" | "ELOOP" | "ENAMETOOLONG";

/** As the kernel: who follows more is in a circle. */
const MAX_LINKS = 40;

/** Here a path may hold `..`, after a link too. Throws UnenforceableError when the system cannot tell. */
export function look(asked: BytePath, seen: Seen = new Map()): Look {
  const links: Link[] = [];
  let at: BytePath = "/";
  let isDirectory = true;
  const names = partsOf(asked).reverse();
  for (let name = names.pop(); name !== undefined; name = names.pop()) {
    if (name === "..") {
      at = parentOf(at);
      continue;
    }
    const path = child(at, name);
    const whole = () => joined(path, [...names].reverse().join("/"));
    const found: DiskEntry | Unreachable = isDirectory ? remembered(path, seen) : "ENOTDIR";
    if (typeof found === "string") return { found: false, path, whole: whole(), reason: found, links };
    if (found.target === null) {
      at = path;
      isDirectory = found.isDirectory;
      continue;
    }
    links.push({ path, target: found.target });
    if (links.length > MAX_LINKS) return { found: false, path, whole: whole(), reason: "ELOOP", links };
    if (found.target.startsWith("/")) at = "/";
    names.push(...partsOf(found.target).reverse());
  }
  return { found: true, path: at, isDirectory, links };
}

/** `..` among them: what it means is known only on the way. */
function partsOf(path: string): string[] {
  return namesOf(path).filter((name) => name !== ".");
}

function remembered(path: BytePath, seen: Seen): DiskEntry | Unreachable {
  const before = seen.get(path);
  if (before !== undefined) return before;
  const entry = entryAt(path);
  seen.set(path, entry);
  return entry;
}

function entryAt(path: BytePath): DiskEntry | Unreachable {
  const native = nativeBytes(path);
  try {
    const status = lstatSync(native);
    const target = status.isSymbolicLink()
      ? readlinkSync(native, { encoding: "buffer" }).toString("latin1")
      : null;
    return { isDirectory: status.isDirectory(), target };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    switch (code) {
      case "ENOENT":
      case "ENOTDIR":
      case "EACCES":
      case "ENAMETOOLONG":
        return code;
      default:
        throw new UnenforceableError(`cannot look at ${shownPath(path)}: ${code}`, { cause: error });
    }
  }
}

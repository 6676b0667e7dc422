import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { type BytePath, nativeBytes, parentOf, shownPath } from "./byte_path.ts";
import { UnenforceableError } from "./unenforceable.ts";

/** What somebody outside would obey or run later, at the top of every directory that may be written. */
export const PROTECTED_NAMES = [".git", ".agents", ".codex", ".aws"] as const;

/** Longer than any path that the system takes. */
const MAX_GIT_FILE = 8192;

/** Where a `.git` that is a file says that the repository is; null when it says nothing of the kind. May hold `..`. */
export function gitDirectory(gitFile: BytePath): BytePath | null {
  const path = /^gitdir:[ \t]*([^\r\n\0]+)/.exec(beginning(gitFile))?.[1];
  if (path === undefined) return null;
  return path.startsWith("/") ? path : `${parentOf(gitFile)}/${path}`;
}

function beginning(path: BytePath): string {
  const buffer = Buffer.alloc(MAX_GIT_FILE);
  try {
    // It may be anything that stops whoever opens or reads it.
    const file = openSync(nativeBytes(path), constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      if (!fstatSync(file).isFile()) return "";
      return buffer.toString("latin1", 0, readSync(file, buffer));
    } finally {
      closeSync(file);
    }
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    throw new UnenforceableError(`cannot read ${shownPath(path)}: ${code}`, { cause: error });
  }
}

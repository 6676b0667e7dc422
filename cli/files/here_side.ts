import { homedir } from "node:os";
import { osErrorCode } from "../../lib/base/os_error.ts";
import type { FileSystem } from "../../lib/fs/file_system.ts";
import { systemError } from "../../lib/fs/fs_error.ts";
import { type BytePath, bytePath, join } from "./byte_path.ts";
import { list, listFacts } from "./list.ts";
import { look } from "./look.ts";
import type { Side } from "./side.ts";

/** This machine. */
export function hereSide(files: FileSystem): Side {
  return {
    name: null,
    files,
    isBeyondCodex: true,
    landmarks: [bytePath(process.cwd()), bytePath(homedir())],
    absolute,
    look: (path) => look(files, true, path),
    list: (path) => list(files, true, path),
    listFacts: (path) => listFacts(files, true, path),
  };
}

function absolute(path: BytePath): BytePath {
  // `:~/x` is spelled by us; in a word that is a path here the shell has expanded it already.
  if (path === "~" || path.startsWith("~/")) return join(bytePath(homedir()), path.slice(2));
  return path.startsWith("/") ? path : join(bytePath(process.cwd()), path);
}

/** Of what is done here without the file system: streams. */
export function asFsError(error: unknown): unknown {
  const code = osErrorCode(error);
  return code === null ? error : systemError(code);
}

import {
  chmodSync,
  type Dirent,
  lstatSync,
  readdirSync,
  readlinkSync,
  renameSync,
  type Stats,
  statSync,
  utimesSync,
} from "node:fs";
import { homedir } from "node:os";
import { osErrorCode } from "../../lib/base/os_error.ts";
import type { FileSystem } from "../../lib/fs/file_system.ts";
import { systemError } from "../../lib/fs/fs_error.ts";
import { bufferOf, type BytePath, bytePath, join } from "./byte_path.ts";
import type { Facts, Kind, Powers, Side } from "./side.ts";

const powers: Powers = {
  rename: (from, to) => now(() => renameSync(bufferOf(from), bufferOf(to))),
  setMode: (path, mode) => now(() => chmodSync(bufferOf(path), mode)),
  setModified: (path, ms) => now(() => utimesSync(bufferOf(path), ms / 1000, ms / 1000)),
  linkText: (path) => now(() => bytePath(readlinkSync(bufferOf(path), { encoding: "buffer" }))),
};

/** This machine. */
export function hereSide(files: FileSystem): Side {
  return {
    name: null,
    files,
    powers,
    absolute: (path) => Promise.resolve(absolute(path)),
    look: (path) => new Promise((resolve) => resolve(look(path))),
    list: (path) =>
      new Promise((resolve) => {
        const found = now(() => readdirSync(bufferOf(path), { withFileTypes: true, encoding: "buffer" }));
        const entries = found.map((entry) => ({
          name: bytePath(entry.name),
          ...entryKind(path, entry),
        }));
        resolve({ entries, unnamable: [] });
      }),
    repaired: () => Promise.resolve(),
  };
}

function absolute(path: BytePath): BytePath {
  // `:~/x` is spelled by us; in a word that is a path here the shell has expanded it already.
  if (path === "~" || path.startsWith("~/")) return join(bytePath(homedir()), path.slice(2));
  return path.startsWith("/") ? path : join(bytePath(process.cwd()), path);
}

function look(path: BytePath): Facts | null {
  const here = statOrNull(() => lstatSync(bufferOf(path)));
  if (here === null) return null;
  if (!here.isSymbolicLink()) return factsOf(here, false);
  const target = statOrNull(() => statSync(bufferOf(path)));
  return factsOf(target ?? here, true);
}

function factsOf(found: Stats, isLink: boolean): Facts {
  return {
    kind: kindOf(found),
    isLink,
    size: found.size,
    modifiedAtMs: found.mtimeMs,
    mode: found.mode & 0o7777,
    identity: `${found.dev}:${found.ino}`,
  };
}

function entryKind(directory: BytePath, entry: Dirent<Buffer>): { kind: Kind; isLink: boolean } {
  if (!entry.isSymbolicLink() && kindOf(entry) !== "other") return { kind: kindOf(entry), isLink: false };
  // Some file systems do not tell kinds in a listing.
  const facts = look(join(directory, bytePath(entry.name)));
  return { kind: facts?.kind ?? "other", isLink: facts?.isLink ?? false };
}

function kindOf(found: Stats | Dirent<Buffer>): Kind {
  if (found.isDirectory()) return "directory";
  if (found.isSymbolicLink()) return "link";
  return found.isFile() ? "file" : "other";
}

function statOrNull(stat: () => Stats): Stats | null {
  try {
    return stat();
  } catch (error) {
    if (osErrorCode(error) === "ENOENT") return null;
    throw asFsError(error);
  }
}

function now<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw asFsError(error);
  }
}

export function asFsError(error: unknown): unknown {
  const code = osErrorCode(error);
  return code === null ? error : systemError(code);
}

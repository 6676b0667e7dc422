import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  futimesSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  type Stats,
  statSync,
  utimesSync,
  write,
} from "node:fs";
import { homedir } from "node:os";
import { osErrorCode } from "../../lib/base/os_error.ts";
import type { FileSystem } from "../../lib/fs/file_system.ts";
import { systemError } from "../../lib/fs/fs_error.ts";
import { bufferOf, type BytePath, bytePath, join } from "./byte_path.ts";
import type { ContinuedFile, Facts, Kind, Powers, Side } from "./side.ts";

const PRIVATE = 0o600;
const CREATE = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const OPEN_KEPT = constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK;

const powers: Powers = {
  rename: (from, to) => now(() => renameSync(bufferOf(from), bufferOf(to))),
  setMode: (path, mode) => now(() => chmodSync(bufferOf(path), mode)),
  setModified: (path, ms) => now(() => utimesSync(bufferOf(path), ms / 1000, ms / 1000)),
  create: (path) => now(() => continued(openSync(bufferOf(path), CREATE, PRIVATE))),
  takeOver,
  linkText: (path) => now(() => bytePath(readlinkSync(bufferOf(path), { encoding: "buffer" }))),
};

/** This machine. */
export function hereSide(files: FileSystem): Side {
  return {
    name: null,
    files,
    powers,
    absolute,
    look: (path) => new Promise((resolve) => resolve(look(path))),
    list: (path) =>
      new Promise((resolve) => {
        const found = now(() => readdirSync(bufferOf(path), { encoding: "buffer" }));
        resolve({ names: found.map(bytePath), unnamable: [] });
      }),
  };
}

/** Others may write into the directory too: what stands under a name that they can guess may be theirs. */
function takeOver(kept: BytePath, working: BytePath, most: number): ContinuedFile | null {
  const before = openOurs(kept, most);
  if (before === null) return null;
  let fd: number | null = null;
  try {
    renameSync(bufferOf(kept), bufferOf(working)); // of two who try, one gets it
    fd = openOurs(working, most); // the name may have been given to another file since we looked
  } catch (error) {
    if (osErrorCode(error) === null) throw error;
  } finally {
    closeSync(before);
  }
  return fd === null ? null : continued(fd);
}

/** null where it is not certain that nobody else has put it there. */
function openOurs(path: BytePath, most: number): number | null {
  let fd: number;
  try {
    fd = openSync(bufferOf(path), OPEN_KEPT);
  } catch (error) {
    if (osErrorCode(error) === null) throw error;
    return null;
  }
  const found = fstatSync(fd);
  const isOurs = found.isFile() && found.uid === process.geteuid?.() && found.nlink === 1 &&
    (found.mode & 0o7777) === PRIVATE && found.size <= most;
  if (isOurs) return fd;
  closeSync(fd);
  return null;
}

function continued(fd: number): ContinuedFile {
  return {
    size: fstatSync(fd).size,
    write: (offset, bytes) => writeAt(fd, bytes, offset),
    extendTo: (length) => now(() => ftruncateSync(fd, length)),
    // By the descriptor: under the name another file could stand by now.
    setMode: (mode) => now(() => fchmodSync(fd, mode)),
    setModified: (ms) => now(() => futimesSync(fd, ms / 1000, ms / 1000)),
    close: () => closeSync(fd),
  };
}

async function writeAt(fd: number, bytes: Uint8Array, offset: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += await new Promise<number>((resolve, reject) => {
      write(fd, bytes, done, bytes.length - done, offset + done, (error, count) => {
        if (error === null) resolve(count);
        else reject(asFsError(error));
      });
    });
  }
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

function kindOf(found: Stats): Kind {
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

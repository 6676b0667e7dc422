import {
  chmodSync,
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeMemoryFile, seal } from "./libc.ts";
import { helperElf } from "./machine.ts";
import type { Arch } from "./numbers.ts";
import { UnenforceableError } from "./unenforceable.ts";

let made: { fd: number; path: string } | undefined;

/**
 * Where the helper can be executed: one file for the whole life of the server, that nobody can change. It is
 * named by our descriptor of it, which a child cannot inherit.
 */
export function helperPath(arch: Arch): string {
  if (made === undefined) {
    const fd = sealedHelper(helperElf(arch)) ?? unlinkedHelper(helperElf(arch));
    made = { fd, path: `${ownProc()}/fd/${fd}` };
  }
  return made.path;
}

/** null where the system forbids to execute what has no name. */
function sealedHelper(elf: Uint8Array): number | null {
  const fd = makeMemoryFile("exec-server-sandbox", "program");
  if (fd === null) return null;
  try {
    writeWhole(fd, elf);
    if (seal(fd)) return fd;
  } catch {
    // Then the other way has to do.
  }
  closeSync(fd);
  return null;
}

/** Closed before anything is spawned from it, since a file that is open for writing cannot be executed. */
export function unlinkedHelper(elf: Uint8Array): number {
  const directory = mkdtempSync(join(tmpdir(), "exec-server-"));
  const path = join(directory, "sandbox");
  try {
    writeFileSync(path, elf, { mode: 0o700, flag: "wx" });
    chmodSync(path, 0o500);
    return openSync(path, constants.O_RDONLY);
  } finally {
    // One after the other: to remove a whole directory takes descriptors, of which there may be no more.
    rmSync(path, { force: true });
    rmdirSync(directory);
  }
}

/** Our own number there is not `process.pid` where /proc is that of a pid namespace further out. */
function ownProc(): string {
  try {
    return `/proc/${readlinkSync("/proc/self")}`;
  } catch {
    throw new UnenforceableError("/proc is not mounted");
  }
}

/** A file without a name that holds the bytes; the helper maps it. */
export function planFile(bytes: Uint8Array): number {
  const fd = makeMemoryFile("exec-server-plan", "data");
  if (fd === null) throw new UnenforceableError("memfd_create");
  try {
    writeWhole(fd, bytes);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function writeWhole(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
}

import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
} from "node:fs";
import { chmod, lstat, mkdir, readdir, stat, statfs } from "node:fs/promises";
import { dirname, join } from "@std/path";
import { osErrorCode } from "../../base/os_error.ts";
import { tryLock } from "./libc.ts";

const PREFIX = "server-";
/** What the kernel calls its file systems that are in memory. */
const TMPFS = 0x01021994;
const RAMFS = 0x858458f6;
/** Another server may take the fresh directory of this one for litter before it is locked; and files may go while all go. */
const ATTEMPTS = 5;
/** What the system says when somebody else is at work in the same directory. */
const RACES: ReadonlySet<string | null> = new Set(["ENOENT", "ENOTEMPTY", "EEXIST"]);

/** The directory of one running server, told from litter by a lock that ends with whoever holds it. */
export class SpoolDirectory {
  #isRemoved = false;

  private constructor(readonly path: string, private readonly lock: number) {}

  /** Makes one that nobody else may read. Rejects where that cannot be. */
  static async make(root: string): Promise<SpoolDirectory> {
    await mkdir(root, { recursive: true, mode: 0o700 });
    await requireOurs(root);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const path = mkdtempSync(join(root, PREFIX));
      const lock = lockDirectory(path);
      if (lock !== null && isStill(path, lock)) return new SpoolDirectory(path, lock);
      if (lock !== null) closeSync(lock);
    }
    throw new Error("it cannot be locked");
  }

  /** Once: the number of its lock is soon somebody else's. */
  remove(): void {
    if (this.#isRemoved) return;
    this.#isRemoved = true;
    for (let attempt = 1; existsSync(this.path) && attempt <= ATTEMPTS; attempt++) {
      try {
        rmSync(this.path, { recursive: true, force: true });
      } catch (error) {
        // Files that were being removed, or made, just then: whatever is left at last is swept by the next server.
        if (!RACES.has(osErrorCode(error))) throw error;
      }
    }
    closeSync(this.lock);
  }
}

/** Removes the directories of servers that are not there any more. */
export async function sweepSpools(root: string): Promise<void> {
  let names: string[];
  try {
    names = await readdir(root);
  } catch (error) {
    if (osErrorCode(error) === "ENOENT") return;
    throw error;
  }
  for (const name of names.filter((name) => name.startsWith(PREFIX))) {
    const path = join(root, name);
    if (!(await lstat(path).catch(() => null))?.isDirectory()) continue; // somebody else swept it
    const lock = lockDirectory(path);
    if (lock === null) continue;
    rmSync(path, { recursive: true, force: true });
    closeSync(lock);
  }
}

/** Whether what is written there would only fill the memory. Rejects where we may not look. */
export async function isInMemoryAt(path: string): Promise<boolean> {
  const { type } = await statfs(await nearestExisting(path));
  return type === TMPFS || type === RAMFS;
}

export async function freeBytesAt(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}

async function nearestExisting(path: string): Promise<string> {
  for (let place = path;; place = dirname(place)) {
    const found = await stat(place).catch((error) => {
      if (osErrorCode(error) !== "ENOENT" || place === dirname(place)) throw error;
      return null;
    });
    if (found !== null) return place;
  }
}

/** What a process printed may be secret. */
async function requireOurs(root: string): Promise<void> {
  const { uid, mode } = await stat(root);
  if (uid !== process.geteuid?.()) throw new Error("it belongs to another user");
  if ((mode & 0o077) !== 0) await chmod(root, 0o700);
}

/** A descriptor that holds the lock; null where somebody else has it, or the directory is gone. */
function lockDirectory(path: string): number | null {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (error) {
    if (osErrorCode(error) === "ENOENT") return null;
    throw error;
  }
  if (tryLock(fd)) return fd;
  closeSync(fd);
  return null;
}

function isStill(path: string, fd: number): boolean {
  const there = statSync(path, { throwIfNoEntry: false });
  return there !== undefined && there.ino === fstatSync(fd).ino;
}

import { closeSync, constants, fstatSync, lstatSync, openSync } from "node:fs";
import { type BytePath, child, nativeBytes } from "./byte_path.ts";
import { listedNext } from "./libc.ts";
import { O_CLOEXEC } from "./linux.ts";

export interface ListedEntry {
  /** One character for each byte. */
  readonly name: string;
  readonly isDirectory: boolean;
  readonly isLink: boolean;
}

/** Where in an entry of the kernel's its length, its kind and its name are. */
const [LENGTH, KIND, NAME] = [16, 18, 19];
const KINDS: Readonly<Record<number, Pick<ListedEntry, "isDirectory" | "isLink">>> = {
  4: { isDirectory: true, isLink: false },
  10: { isDirectory: false, isLink: true },
};
const OTHER = { isDirectory: false, isLink: false };
const UNTOLD = 0;

/**
 * What is in a directory, a little at a time: the runtime has only all of it at once, however many there are. Throws
 * the system's errors. What goes away while it is listed may be left out.
 */
export function* listedDirectory(directory: BytePath): Generator<ListedEntry> {
  const fd = openSync(nativeBytes(directory), constants.O_RDONLY | constants.O_DIRECTORY | O_CLOEXEC);
  try {
    for (;;) {
      const block = listedNext(fd);
      if (block === null) {
        if (fstatSync(fd).nlink === 0) return;
        throw Object.assign(new Error("Cannot list a directory"), { code: "EIO" });
      }
      if (block.length === 0) return;
      for (let at = 0; at < block.length; at += block.readUInt16LE(at + LENGTH)) {
        const entry = entryAt(block, at, directory);
        if (entry !== null) yield entry;
      }
    }
  } finally {
    closeSync(fd);
  }
}

function entryAt(block: Buffer, at: number, directory: BytePath): ListedEntry | null {
  const name = block.toString("latin1", at + NAME, block.indexOf(0, at + NAME));
  if (name === "." || name === "..") return null;
  const kind = block[at + KIND]!;
  if (kind !== UNTOLD) return { name, ...(KINDS[kind] ?? OTHER) };
  // Some disks keep the kind elsewhere.
  const stats = lstatSync(nativeBytes(child(directory, name)), { throwIfNoEntry: false });
  return stats === undefined
    ? null
    : { name, isDirectory: stats.isDirectory(), isLink: stats.isSymbolicLink() };
}

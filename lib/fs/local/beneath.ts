import { closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync } from "node:fs";
import { type FsError, systemError } from "../fs_error.ts";
import { O_PATH } from "./held_directory.ts";
import { byteString, pathOf } from "./native_bytes.ts";
import { openAt2, RESOLVE } from "./open_beneath.ts";
import type { Directory, Named, Place, Spot, SystemPath } from "./place.ts";
import { now, unlessMissing } from "./system_call.ts";

/** A directory that takes the place of the machine's root, with other mounts than ours perhaps. */
export interface Root {
  readonly fd: number;
  /**
   * What stands there for something that nobody may see; our own rights may go further than those. All of it is on this
   * device, and nothing else is.
   */
  readonly masks: {
    readonly device: number;
    /** Nobody gets into these. */
    readonly closed: ReadonlySet<number>;
    /** These may be passed through, and not looked at. */
    readonly unlisted: ReadonlySet<number>;
  } | null;
}

const CONFINED = RESOLVE.inRoot | RESOLVE.noMagicLinks;
const HOLD = O_PATH | constants.O_DIRECTORY;

/** How the kernel's way into an empty mask may end, where its owner's rights are not asked for. */
const ENDS_AT_MASK: ReadonlySet<string | null> = new Set(["ENOENT", "ENOTDIR", "EROFS"]);

/**
 * Paths lead to what is beneath the root, whatever links and dots are on the way and whoever changes them meanwhile: each
 * path is walked by the kernel in one go, and what is found is held. It never hands a path with more than one name
 * in it to a call that starts at the machine's own root.
 */
export function beneath(root: Root): Place {
  return new Beneath(root);
}

class Beneath implements Place {
  /** What the names of descriptors begin with; empty unless we ourselves live beneath a directory. */
  readonly #prefix: string;

  constructor(private readonly root: Root) {
    this.#prefix = nameOf(root.fd).replace(/\/$/, "");
  }

  open(path: SystemPath, flags: number, mode = 0): number {
    const fd = this.#openedAt(this.root.fd, path, flags, mode, CONFINED);
    if (typeof fd === "number") return fd;
    throw ENDS_AT_MASK.has(fd.errno) && this.#isBelowMask(path) ? systemError("EACCES") : fd;
  }

  target(path: SystemPath): Named {
    const fd = this.open(path, O_PATH);
    return { path: `/proc/self/fd/${fd}`, [Symbol.dispose]: () => closeSync(fd) };
  }

  spot(path: SystemPath, links: "follow" | "refuse" = "follow"): Spot {
    const text = byteString(path);
    const [, way, last, slashes] = /^(.*?)([^/]*)(\/*)$/s.exec(text) as unknown as string[];
    // Such a name is no entry of the directory that it is in.
    if (last === "" || last === "." || last === "..") return this.#heldIn(this.#hold(path, links), ".");
    const parent = this.#hold(pathOf(way || "."), links);
    if (slashes === "") return this.#heldIn(parent, last!);
    if (this.#isDirectoryOrNothing(parent, last!)) return this.#heldIn(parent, last!);
    closeSync(parent);
    return this.#heldIn(this.#hold(path, links), ".");
  }

  spotIn(directory: Directory, name: string): Spot {
    return this.#named(directory.fd!, name, () => {});
  }

  canonical(path: SystemPath): Buffer {
    const fd = this.open(path, O_PATH);
    try {
      return Buffer.from(this.#pathOf(fd), "latin1");
    } finally {
      closeSync(fd);
    }
  }

  #heldIn(directory: number, name: string): Spot {
    return this.#named(directory, name, () => closeSync(directory));
  }

  #named(directory: number, name: string, letGo: () => void): Spot {
    const self = `/proc/self/fd/${directory}`;
    return {
      path: pathOf(name === "" ? self : `${self}/${name}`),
      open: (flags, mode = 0) =>
        name === "" ? this.#reopened(self, flags) : this.#openIn(directory, name, flags, mode),
      checkMovable: () => checkMovable(directory, name),
      [Symbol.dispose]: letGo,
    };
  }

  /** Once more what is held already. */
  #reopened(self: string, flags: number): number {
    return this.#allowed(now(() => openSync(self, flags & ~constants.O_NOFOLLOW)), flags);
  }

  #openIn(directory: number, name: string, flags: number, mode: number): number {
    const follows = (flags & constants.O_NOFOLLOW) === 0;
    const resolve = follows ? RESOLVE.noLinks : RESOLVE.noMagicLinks;
    const fd = this.#openedAt(directory, pathOf(name), flags, mode, resolve);
    if (typeof fd === "number") return fd;
    if (!follows || fd.errno !== "ELOOP") throw fd;
    const parent = this.#pathOf(directory);
    return this.open(pathOf(`${parent === "/" ? "" : parent}/${name}`), flags, mode);
  }

  #openedAt(directory: number, path: SystemPath, flags: number, mode: number, resolve: number) {
    const fd = openAt2(directory, path, flags, mode, resolve);
    return typeof fd === "number" ? this.#allowed(fd, flags) : fd;
  }

  /** To see that a mask is there is fine, and to go to what is open again behind it. */
  #allowed(fd: number, flags: number): number {
    const { masks } = this.root;
    if (masks === null) return fd;
    const { dev, ino } = fstatSync(fd);
    if (dev !== masks.device) return fd;
    const isClosed = masks.closed.has(ino);
    const isAllowed = (flags & O_PATH) !== 0
      ? !isClosed || (flags & constants.O_DIRECTORY) === 0
      : !isClosed && !masks.unlisted.has(ino);
    if (isAllowed) return fd;
    closeSync(fd);
    throw systemError("EACCES");
  }

  /** A directory on the way to something. */
  #hold(path: SystemPath, links: "follow" | "refuse"): number {
    if (links === "follow") return this.open(path, HOLD);
    const fd = this.#openedAt(this.root.fd, path, HOLD, 0, CONFINED | RESOLVE.noLinks);
    if (typeof fd === "number") return fd;
    // So it is called where each name is entered alone.
    throw fd.errno === "ELOOP" ? systemError("ENOTDIR") : fd;
  }

  #isDirectoryOrNothing(directory: number, name: string): boolean {
    try {
      const found = unlessMissing(() => lstatSync(pathOf(`/proc/self/fd/${directory}/${name}`)));
      return found === null || found.isDirectory();
    } catch (error) {
      closeSync(directory);
      throw error;
    }
  }

  /** Whether what is there of the path ends at a mask. */
  #isBelowMask(path: SystemPath): boolean {
    if (this.root.masks === null) return false;
    const names = byteString(path).split("/").filter((name) => name !== "");
    while (names.pop() !== undefined) {
      const fd = openAt2(this.root.fd, pathOf(`/${names.join("/")}`), O_PATH, 0, CONFINED);
      if (typeof fd !== "number") continue;
      const { dev, ino } = fstatSync(fd);
      closeSync(fd);
      return dev === this.root.masks.device && this.root.masks.closed.has(ino);
    }
    return false;
  }

  #pathOf(fd: number): string {
    const path = nameOf(fd);
    // The kernel marks the names of what has none any more.
    const isGone = path.endsWith(" (deleted)") && fstatSync(fd).nlink === 0;
    if (isGone || !`${path}/`.startsWith(`${this.#prefix}/`)) throw systemError("ENOENT");
    return path.slice(this.#prefix.length) || "/";
  }
}

function nameOf(fd: number): string {
  return now(() => readlinkSync(`/proc/self/fd/${fd}`, { encoding: "buffer" })).toString("latin1");
}

/**
 * Where the root has mounts that we do not have, the system would let us remove what they are mounted on, and with
 * that the mounts.
 */
function checkMovable(directory: number, name: string): void {
  const fd: number | FsError = openAt2(
    directory,
    pathOf(name || "."),
    O_PATH | constants.O_NOFOLLOW,
    0,
    RESOLVE.noMounts,
  );
  if (typeof fd === "number") closeSync(fd);
  else if (fd.errno === "EXDEV") throw systemError("EBUSY");
  else if (fd.errno !== "ENOENT") throw fd;
}

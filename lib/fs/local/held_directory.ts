import { closeSync, constants, existsSync, fstatSync, statSync } from "node:fs";
import { byteString, pathOf } from "./native_bytes.ts";
import type { Directory, Place, Spot } from "./place.ts";
import { now } from "./system_call.ts";

/** Linux: names a place without opening what is there. The runtime has no word for it. */
export const O_PATH = 0o10000000;

let linksAreThere: boolean | undefined;

/**
 * A directory held open, so that nobody can put a link in its place, and the names in it by way of that: the only
 * way that the runtime leaves to say `openat`. Where the system has no such way, it is held by its path.
 */
export class HeldDirectory implements Directory, Disposable {
  private constructor(
    private readonly place: Place,
    readonly fd: number | null,
    private readonly base: string,
  ) {}

  /** Whether holding means more than knowing the path. */
  static get isSure(): boolean {
    return (linksAreThere ??= process.platform === "linux" && existsSync("/proc/self/fd"));
  }

  /** Throws FsError; ENOTDIR also for a link, unless links are followed. */
  static open(place: Place, spot: Spot, links: "refuse" | "follow" = "refuse"): HeldDirectory {
    const flags = constants.O_DIRECTORY | (links === "refuse" ? constants.O_NOFOLLOW : 0);
    const fd = spot.open(HeldDirectory.isSure ? flags | O_PATH : flags);
    if (HeldDirectory.isSure) return new HeldDirectory(place, fd, `/proc/self/fd/${fd}`);
    closeSync(fd);
    return new HeldDirectory(place, null, byteString(spot.path));
  }

  /** The directory itself, or a name in it. */
  path(name = ""): string | Buffer {
    return pathOf(name === "" ? this.base : `${this.base}/${name}`);
  }

  spot(name = ""): Spot {
    return this.place.spotIn(this, name);
  }

  enter(name: string, links: "refuse" | "follow" = "refuse"): HeldDirectory {
    return HeldDirectory.open(this.place, this.spot(name), links);
  }

  /** Which directory it is, exactly: some file systems number beyond what a double holds. */
  identity(): { dev: bigint; ino: bigint } {
    const exact = { bigint: true } as const;
    return now(() => this.fd === null ? statSync(this.path(), exact) : fstatSync(this.fd, exact));
  }

  [Symbol.dispose](): void {
    if (this.fd !== null) closeSync(this.fd);
  }
}

import { closeSync, lstatSync, type Stats } from "node:fs";
import { type BytePath, isWithin, nativeBytes, shownPath } from "./byte_path.ts";
import { hasNews, standingAt } from "./libc.ts";
import { AT_FDCWD } from "./linux.ts";
import { MARK } from "./mask_mark.ts";
import { DENIED_DIRECTORY, DENIED_FILE, MASKS, passagePath } from "./plan_dev.ts";
import type { MountRule, Rules } from "./rules.ts";
import { UnenforceableError } from "./unenforceable.ts";

/** What stands in a view in the place of what is denied. All of it is on one device, and nothing else is. */
export interface Masks {
  readonly device: number;
  /** Nobody gets into these. */
  readonly closed: ReadonlySet<number>;
  /** These may be passed through, and not looked at. */
  readonly unlisted: ReadonlySet<number>;
}

export interface ViewDescriptors {
  /** The root directory of the view; only names what is there. */
  readonly root: number;
  /** Its mounts are there as long as this is open. */
  readonly namespace: number;
  /** Our own list of mounts: it tells when it changes. */
  readonly mounts: number;
}

/** What was at a place when the view was built. */
interface Recorded {
  readonly path: Uint8Array;
  readonly mount: bigint | null;
  /** Of a place that we hold for a missing name: on the host. */
  readonly held: Uint8Array | null;
}

/**
 * What a sandbox of these rules would see, pinned. It shows files as they are, and its mounts are where they were
 * put. They go where these go, when somebody outside renames them, and vanish when they are removed: so it is to be
 * asked before each use whether all of them are in their place.
 */
export class PinnedView {
  readonly masks: Masks | null;
  /** Whether something is on the host because of it, for all to see. */
  readonly holdsPlaces: boolean;
  readonly #recorded: readonly Recorded[];
  #isOpen = true;

  /** Throws an UnenforceableError where it is not what it should be. It takes the descriptors all the same. */
  constructor(
    rules: Rules,
    private readonly descriptors: ViewDescriptors,
    private readonly closed: () => void,
  ) {
    this.holdsPlaces = rules.mounts.some(({ kind }) => kind === "absent");
    try {
      this.masks = this.#findMasks(rules);
      const device = lstatSync(this.#inView(MASKS)).dev;
      this.#recorded = rules.mounts
        .filter(({ path }) => path !== "/" && !isWithin(path, "/proc"))
        .map((rule) => this.#record(rule, device));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  get root(): number {
    return this.descriptors.root;
  }

  isCurrent(): boolean {
    return !hasNews(this.descriptors.mounts) && this.#recorded.every(({ path, mount, held }) => {
      if ((standingAt(this.root, path)?.mount ?? null) !== mount) return false;
      return held === null || standingAt(AT_FDCWD, held)?.modifiedAtSeconds === BigInt(MARK);
    });
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const fd of Object.values(this.descriptors)) closeSync(fd);
    this.closed();
  }

  #findMasks({ mounts }: Rules): Masks | null {
    if (!mounts.some(({ kind }) => kind === "deny-directory" || kind === "deny-file")) return null;
    const unlisted = new Set<number>();
    for (let i = 0;; i++) {
      const passage = lookAt(this.#inView(passagePath(i)));
      if (passage === null) break;
      unlisted.add(passage.ino);
    }
    const [directory, file] = [DENIED_DIRECTORY, DENIED_FILE].map((path) => lstatSync(this.#inView(path)));
    return { device: directory!.dev, closed: new Set([directory!.ino, file!.ino]), unlisted };
  }

  #record({ kind, path }: MountRule, maskDevice: number): Recorded {
    const [here, there] = [lookAt(nativeBytes(path)), lookAt(this.#inView(path))];
    // What is below something hidden is hidden with it; and the view has a /dev of its own.
    const isRight = kind === "read" || kind === "write"
      ? isSame(here, there) || isWithin(path, "/dev")
      : there?.dev === maskDevice || (there === null && kind !== "absent");
    const relative = nativeBytes(`${path.slice(1)}\0`);
    const mount = standingAt(this.root, relative)?.mount ?? null;
    if (!isRight || (mount === null) !== (there === null)) {
      throw new UnenforceableError(`show ${shownPath(path)} as it is`);
    }
    return { path: relative, mount, held: kind === "absent" ? nativeBytes(`${path}\0`) : null };
  }

  #inView(path: BytePath): Buffer {
    return nativeBytes(`/proc/self/fd/${this.root}${path}`);
  }
}

/** null where nothing is to be seen. */
function lookAt(path: Buffer): Stats | null {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) ?? null;
  } catch {
    return null; // out of reach
  }
}

function isSame(here: Stats | null, there: Stats | null): boolean {
  return here !== null && there !== null && here.ino === there.ino && here.dev === there.dev;
}

import { lstatSync, statSync } from "node:fs";
import { FsError } from "../fs_error.ts";
import {
  MAX_WALK,
  type NativePath,
  type WalkOptions,
  type WalkSink,
  type WalkSummary,
} from "../file_system.ts";
import { isSymlinkAt, kindsOf } from "./directories.ts";
import { stopIfGivenUp } from "./give_up.ts";
import { listDirectory, type ListedEntry } from "./list_directory.ts";
import { byteString, checkedPath, nativeOf, pathOf } from "./native_bytes.ts";
import type { Place } from "./place.ts";
import { SortedNames } from "./sorted_names.ts";
import { now } from "./system_call.ts";
import { nextTurn, turnIsOver } from "./turns.ts";

/** Names are looked at in portions, so that asking for the time costs nothing beside them. */
const STEPS_PER_LOOK = 32;

/** Breadth first, byte-sorted, in turns with everybody else. */
export async function walkTree(
  place: Place,
  root: NativePath,
  options: WalkOptions,
  sink: WalkSink,
): Promise<WalkSummary> {
  checkLimits(options);
  if (!isToBeWalked(place, root, options)) return { truncated: false };
  return await new Walk(place, byteString(root), options, sink).run();
}

/** What leads nowhere is an error, whether links are followed or not. */
function isToBeWalked(place: Place, root: NativePath, { followDirectorySymlinks }: WalkOptions): boolean {
  const path = checkedPath(root);
  using target = place.target(path);
  using spot = place.spot(path);
  const isDirectory = now(() => statSync(target.path)).isDirectory();
  const isLink = now(() => lstatSync(spot.path)).isSymbolicLink();
  return isDirectory && (followDirectorySymlinks || !isLink);
}

function checkLimits({ maxDepth, maxDirectories, maxEntries }: WalkOptions): void {
  if (maxDirectories === 0 || maxEntries === 0) {
    throw new FsError("refused", "filesystem walk limits must be greater than zero");
  }
  const { depth, directories, entries } = MAX_WALK;
  if (maxDepth > depth || maxDirectories > directories || maxEntries > entries) {
    throw new FsError(
      "refused",
      `filesystem walk limits exceed maximums: depth=${depth}, directories=${directories}, entries=${entries}`,
    );
  }
}

type Found = ListedEntry & { readonly isDirectory: boolean; readonly isFile: boolean };

interface Waiting {
  /** Below the root, with a slash at its end; empty for the root. */
  readonly path: string;
  readonly depth: number;
}

class Walk {
  readonly #queue: Waiting[] = [{ path: "", depth: 0 }];
  readonly #visited = new Set<string>();
  #entries = 0;
  #truncated = false;
  /** No more room, or no more entries allowed. */
  #isOver = false;

  constructor(
    private readonly place: Place,
    private readonly root: string,
    private readonly options: WalkOptions,
    private readonly sink: WalkSink,
  ) {}

  async run(): Promise<WalkSummary> {
    if (this.options.followDirectorySymlinks) this.#visited.add(this.#identity(this.root));
    for (let next = 0; next < this.#queue.length && !this.#isOver; next++) {
      await this.#enter(this.#queue[next]!);
    }
    return { truncated: this.#truncated };
  }

  #isTurnOver(): boolean {
    stopIfGivenUp(this.options);
    return turnIsOver();
  }

  async #enter(directory: Waiting): Promise<void> {
    const listed = await this.#list(directory);
    for (let step = 0; step < listed.length; step++) {
      if (step % STEPS_PER_LOOK === 0 && this.#isTurnOver()) await nextTurn();
      this.#examine(listed[step]!, directory);
      if (this.#isOver) return;
    }
  }

  /**
   * What is in a directory and leads somewhere, sorted; no more of it than may still be examined, and one.
   * A directory that went away or is closed to us is an item of the answer.
   */
  async #list({ path }: Waiting): Promise<Found[]> {
    const most = this.options.maxEntries - this.#entries + 1;
    const found = new SortedNames<Found>(most);
    try {
      for (const portion of listDirectory(this.place, pathOf(`${this.root}/${path}`))) {
        for (let step = 0; step < portion.length; step++) {
          if (step % STEPS_PER_LOOK === 0 && this.#isTurnOver()) await nextTurn();
          const entry = portion[step]!;
          const kinds = kindsOf(this.place, entry, `${this.root}/${path}`);
          if (kinds === null) continue;
          const { isDirectory, isFile } = kinds;
          found.add({ name: entry.name, kind: entry.kind, isDirectory, isFile });
          if (found.isUntidy) await found.tidy();
        }
      }
      return await found.all();
    } catch (error) {
      if (!(error instanceof FsError) || this.options.givenUp?.aborted) throw error;
      this.#offer({ kind: "error", path: nativeOf(path.slice(0, -1)), message: error.message });
      return [];
    }
  }

  #examine(entry: Found, { path: parent, depth }: Waiting): void {
    if (this.#entries === this.options.maxEntries) return this.#stop();
    this.#entries++;

    const { followDirectorySymlinks, pruneHiddenDirectories, maxDepth } = this.options;
    const path = parent + entry.name;
    const isLink = entry.kind === "symlink" ||
      entry.kind === "unknown" && isSymlinkAt(this.place, `${this.root}/${path}`);
    if (isLink && !(followDirectorySymlinks && entry.isDirectory)) return;
    if (!entry.isDirectory && !entry.isFile) return;
    if (!this.#offer({ kind: entry.isDirectory ? "directory" : "file", path: nativeOf(path) })) return;
    const isHidden = pruneHiddenDirectories && entry.name.startsWith(".");
    if (entry.isDirectory && depth < maxDepth && !isHidden) this.#queueUp(path, depth + 1);
  }

  #queueUp(path: string, depth: number): void {
    const { followDirectorySymlinks, maxDirectories } = this.options;
    const place = followDirectorySymlinks ? this.#identity(`${this.root}/${path}`) : null;
    if (place !== null && this.#visited.has(place)) return;
    if (this.#queue.length === maxDirectories) {
      this.#truncated = true;
      return;
    }
    if (place !== null) this.#visited.add(place);
    this.#queue.push({ path: `${path}/`, depth });
  }

  #offer(item: Parameters<WalkSink>[0]): boolean {
    if (this.sink(item)) return true;
    this.#stop();
    return false;
  }

  #stop(): void {
    this.#truncated = true;
    this.#isOver = true;
  }

  /** Two paths with the same one are the same directory. */
  #identity(path: string): string {
    try {
      return this.place.canonical(pathOf(path === "" ? "/" : path)).toString("latin1");
    } catch (error) {
      if (error instanceof FsError) return path; // gone meanwhile; entering it will say so
      throw error;
    }
  }
}

import { CommandError } from "../exit_status.ts";
import { SMALL_FILE_BYTES } from "./blocks.ts";
import { type BytePath, join, nativePath, parentOf } from "./byte_path.ts";
import { FileCopier, type FileCopierOptions } from "./copy_file.ts";
import type { Departure } from "./departure.ts";
import { copyLink, directoryOf, finishDirectories, makeDirectories } from "./copy_tree.ts";
import { fileFailure, isLinkFailure, isOutOfRoom, placed, writing } from "./file_failure.ts";
import { realPath } from "./same_file.ts";
import type { Tree, TreeItem } from "./scan_tree.ts";
import type { Facts, Side } from "./side.ts";

/** Small files on their way at a time; a large one has the line for itself. */
const SMALL_AT_ONCE = 8;

/** A source that was looked at, and where it is to be. */
export interface CopyJob {
  readonly from: Side;
  readonly to: Side;
  readonly source: BytePath;
  readonly target: BytePath;
  readonly facts: Facts;
  /** null for one file. */
  readonly tree: Tree | null;
}

/** Does what was planned. What fails for one file of a tree is told, and the others go on. */
export class Copier {
  /** Nothing was left out. */
  isClean = true;
  readonly #files: FileCopier;

  constructor(private readonly options: FileCopierOptions) {
    this.#files = new FileCopier(options);
  }

  /** What the user should know of modes when all is done, a line each. */
  get lostModes(): readonly string[] {
    return this.#files.lostModes.words();
  }

  async copyFile({ from, to, source, target, facts }: CopyJob): Promise<void> {
    const existing = await writing(to, target, () => to.look(target));
    await this.#files.copy({ from, to, source, target, facts, existing });
    await this.#files.sweep(to, parentOf(target));
  }

  async copyStream(to: Side, target: BytePath): Promise<void> {
    await this.#files.copyStream(null, to, target);
  }

  async copyToStream(departure: Departure): Promise<void> {
    await this.#files.copyToStream(departure);
  }

  async copyTree({ from, to, target, tree }: CopyJob & { readonly tree: Tree }): Promise<void> {
    const found = await makeDirectories(to, target, tree);
    for (const { path, facts } of tree.directories) {
      if (!found.has(path)) this.#files.lostModes.count(to, facts, true);
    }
    const top = await realPath({ side: to, path: target }) ?? target;
    const small = new Set<Promise<void>>();
    try {
      for (const item of tree.files) {
        const isLarge = item.facts.size > SMALL_FILE_BYTES;
        if (isLarge) await Promise.all(small);
        const one = this.#tried(from, item, () => this.#copyOf(item, from, to, top, found));
        if (isLarge) {
          await one;
          continue;
        }
        const done = one.finally(() => small.delete(done));
        small.add(done);
        if (small.size >= SMALL_AT_ONCE) await Promise.race(small);
      }
      await Promise.all(small);
    } finally {
      await Promise.allSettled(small);
    }
    for (const item of tree.links) {
      await this.#tried(from, item, () => copyLink(from, item, to, join(top, item.path)));
    }
    for (const path of found) await this.#files.sweep(to, join(top, path));
    await finishDirectories(to, top, tree, found);
  }

  async #copyOf(
    { path, source, facts }: TreeItem,
    from: Side,
    to: Side,
    top: BytePath,
    found: ReadonlySet<BytePath>,
  ): Promise<void> {
    const target = join(top, path);
    // What is in a directory that we made was not there before: nobody needs to ask.
    let existing = found.has(directoryOf(path)) ? await writing(to, target, () => to.look(target)) : null;
    // In a tree a link is replaced, not followed: it could lead out of the target.
    if (existing?.isLink === true) {
      if (!to.isBeyondCodex) {
        const remove = () => to.files.remove(nativePath(target), { recursive: false, force: true });
        await writing(to, target, remove);
      }
      existing = null;
    }
    await this.#files.copy({ from, to, source, target, facts, existing });
  }

  async #tried(from: Side, { source }: TreeItem, copy: () => Promise<void>): Promise<void> {
    try {
      await copy();
    } catch (error) {
      const told = fileFailure(`cannot copy ${placed(from, source)}`, error);
      const isHopeless = isLinkFailure(error) || isOutOfRoom(error);
      if (isHopeless || !(told instanceof CommandError)) throw told;
      this.isClean = false;
      this.options.view.problem(told.message, told.hint);
    }
  }
}

import { FsError } from "../../lib/fs/fs_error.ts";
import { CommandError } from "../exit_status.ts";
import { arrivalAt, streamArrival } from "./arrival.ts";
import { BLOCK_BYTES } from "./blocks.ts";
import { baseOf, type BytePath, bytePath, join, nativePath, shownPath } from "./byte_path.ts";
import { copyOne, type Departure, fileDeparture, streamDeparture } from "./copy_one.ts";
import { copyLink, finishDirectories, makeDirectories } from "./copy_tree.ts";
import type { CopyView } from "./copy_view.ts";
import { fileFailure, isLinkFailure, isOutOfRoom, placed, RoomError } from "./file_failure.ts";
import type { Leftovers } from "./leftovers.ts";
import { LostModes } from "./lost_modes.ts";
import { isSameFile, realPath } from "./same_file.ts";
import type { Tree, TreeItem } from "./scan_tree.ts";
import type { Facts, Side } from "./side.ts";

const STDOUT = 1;
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

export interface CopyTools {
  readonly view: CopyView;
  readonly leftovers: Leftovers;
  /** What the far end is called, so that two servers are not taken for one. */
  readonly address: string;
}

/** Does what was planned. What fails for one file of a tree is told, and the others go on; false then. */
export class Copier {
  /** Nothing was left out. */
  isClean = true;
  readonly lostModes = new LostModes();

  constructor(private readonly tools: CopyTools) {}

  async copyFile({ from, to, source, target, facts }: CopyJob): Promise<void> {
    const existing = await to.look(target);
    await this.#putOrTell(from, to, source, target, facts, existing);
  }

  async copyStream(path: BytePath | null, to: Side, target: BytePath): Promise<void> {
    const name = path === null ? "stdin" : shownPath(path);
    this.tools.view.begin(name, name);
    const existing = await to.look(target);
    await tellWhatIsLeft(
      to,
      target,
      existing,
      () => this.#arrive(streamDeparture(path), to, target, existing, null),
    );
  }

  async copyToStream(departure: Departure): Promise<void> {
    await copyOne(departure, streamArrival(() => STDOUT), this.tools.view);
  }

  async copyTree({ from, to, target, tree }: CopyJob & { readonly tree: Tree }): Promise<void> {
    const found = await makeDirectories(to, target, tree);
    for (const { path, facts } of tree.directories) {
      if (!found.has(path)) this.lostModes.count(to, facts);
    }
    const top = await realPath({ side: to, path: target }) ?? target;
    // What is in a directory that we made was not there before: nobody needs to ask.
    const isNew = (path: BytePath) => !found.has(path.split("/").slice(0, -1).join("/") as BytePath);
    const small = new Set<Promise<void>>();
    try {
      for (const item of tree.files) {
        const isLarge = item.facts.size > BLOCK_BYTES;
        if (isLarge) await Promise.all(small);
        const one = this.#tried(from, item, async () => {
          const place = join(top, item.path);
          let existing = isNew(item.path) ? null : await to.look(place);
          if (existing?.isLink === true) existing = await this.#withoutLink(to, place);
          await this.#putOrTell(from, to, item.source, place, item.facts, existing);
        });
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
      await this.#tried(from, item, () => copyLink(to, item.source, join(top, item.path)));
    }
    finishDirectories(to, top, tree, found);
  }

  /** In a tree a link is replaced, not followed: it could lead out of the target. */
  async #withoutLink(to: Side, place: BytePath): Promise<null> {
    await to.files.remove(nativePath(place), { recursive: false, force: true });
    return null;
  }

  async #putOrTell(
    from: Side,
    to: Side,
    source: BytePath,
    target: BytePath,
    facts: Facts,
    existing: Facts | null,
  ): Promise<void> {
    await tellWhatIsLeft(
      to,
      target,
      existing,
      () => this.#put(from, to, source, target, facts, existing),
    );
  }

  async #put(
    from: Side,
    to: Side,
    source: BytePath,
    target: BytePath,
    facts: Facts,
    existing: Facts | null,
  ): Promise<void> {
    this.tools.view.begin(placed(from, source), shownPath(baseOf(source)));
    if (facts.kind === "other" && from.powers !== null) {
      return await this.#arrive(streamDeparture(source), to, target, existing, null);
    }
    if (facts.kind !== "file") throw new FsError("refused", "it is neither a file nor a directory");
    if (existing?.kind === "directory") throw new FsError("refused", "a directory is in its place");
    if (existing?.kind === "file" && await this.#isSame(from, source, facts, to, target, existing)) {
      throw new FsError("refused", "it is the same file");
    }
    if (from.powers === null && from === to) {
      return await this.#copyThere(to, source, target, facts, existing);
    }
    const origin = facts.size > BLOCK_BYTES
      ? [from.powers === null ? this.tools.address : "", source, facts.size, facts.modifiedAtMs].join("\0")
      : null;
    await this.#arrive(fileDeparture(from, source, facts), to, target, existing, origin);
    if (existing === null) this.lostModes.count(to, facts);
  }

  #isSame(
    from: Side,
    source: BytePath,
    facts: Facts,
    to: Side,
    target: BytePath,
    existing: Facts,
  ): Promise<boolean> {
    return isSameFile({ side: from, path: source, facts }, { side: to, path: target, facts: existing });
  }

  /** The server copies by itself; its mode comes along. */
  async #copyThere(
    to: Side,
    source: BytePath,
    target: BytePath,
    facts: Facts,
    existing: Facts | null,
  ): Promise<void> {
    try {
      await to.files.copy(nativePath(source), nativePath(target), { recursive: false });
    } catch (error) {
      // Half of it must not stand there.
      if (existing === null && isOutOfRoom(error)) {
        await to.files.remove(nativePath(target), { recursive: false, force: true });
      }
      throw error;
    }
    this.tools.view.carried(facts.size);
    this.tools.view.fileDone();
  }

  async #arrive(
    departure: Departure,
    to: Side,
    target: BytePath,
    existing: Facts | null,
    origin: string | null,
  ): Promise<void> {
    const path = existing?.isLink === true ? await leadsTo(to, target, existing) : target;
    const { leftovers, view } = this.tools;
    const size = departure.facts?.size ?? null;
    await copyOne(departure, arrivalAt(to, { path, existing, origin, size, leftovers }), view);
  }

  async #tried(from: Side, { source }: TreeItem, copy: () => Promise<void>): Promise<void> {
    try {
      await copy();
    } catch (error) {
      const told = fileFailure(`cannot copy ${placed(from, source)}`, error);
      const isHopeless = isLinkFailure(error) || isOutOfRoom(error);
      if (isHopeless || !(told instanceof CommandError)) throw told;
      this.isClean = false;
      this.tools.view.problem(told.message, told.hint);
    }
  }
}

/** Where a copy met a full disk, the user is told what stands under the name: he may have to tidy up. */
async function tellWhatIsLeft(
  to: Side,
  target: BytePath,
  before: Facts | null,
  copy: () => Promise<void>,
): Promise<void> {
  try {
    await copy();
  } catch (error) {
    if (!isOutOfRoom(error)) throw error;
    let now: Facts | null;
    try {
      now = await to.look(target);
    } catch {
      throw error; // nobody knows
    }
    throw new RoomError(error, leftWords(before, now));
  }
}

function leftWords(before: Facts | null, now: Facts | null): string {
  if (now === null) return "nothing was left under that name";
  const isAsItWas = now.size === before?.size && now.modifiedAtMs === before.modifiedAtMs;
  return isAsItWas ? "what was under that name is as it was" : "what is under that name now may not be whole";
}

/** What stands at the end of a link: it is replaced, and the link stays. */
async function leadsTo(to: Side, target: BytePath, existing: Facts): Promise<BytePath> {
  if (existing.kind === "other") return target;
  const real = existing.kind === "link" ? null : await realPath({ side: to, path: target });
  if (real !== null) return bytePath(nativePath(real));
  throw new FsError("refused", "it is a link that leads nowhere");
}

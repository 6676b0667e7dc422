import { CommandError, EXIT } from "../exit_status.ts";
import { type BytePath, bytePath, join, nativePath } from "./byte_path.ts";
import { fileFailure, isLinkFailure, placed } from "./file_failure.ts";
import type { Entry, Facts, Side } from "./side.ts";

/** Something below the top of a tree; its path is relative to it, and empty for the top itself. */
export interface TreeItem {
  readonly path: BytePath;
  /** Where it is read from: beyond a link that is followed this is not below the top. */
  readonly source: BytePath;
  readonly facts: Facts;
}

export interface Tree {
  readonly directories: readonly TreeItem[];
  readonly files: readonly TreeItem[];
  /** Copied as links. */
  readonly links: readonly TreeItem[];
}

export interface ScanOptions {
  /** Both ends are on one machine, which can make a link like another; else what it leads to is copied. */
  readonly keepLinks: boolean;
  /** What cannot be copied. */
  onProblem(problem: CommandError): void;
}

/** Questions that are on their way at a time. */
const ASKED_AT_ONCE = 16;
const MAX_LEVELS = 256;

/** Everything below a directory, each directory before what is in it. `top` is no link. */
export async function scanTree(side: Side, top: BytePath, options: ScanOptions): Promise<Tree> {
  const scan = new Scan(side, options);
  const facts = await side.look(top);
  if (facts !== null) await scan.enter({ path: "" as BytePath, source: top, facts }, [top]);
  return scan;
}

class Scan implements Tree {
  readonly directories: TreeItem[] = [];
  readonly files: TreeItem[] = [];
  readonly links: TreeItem[] = [];

  constructor(private readonly side: Side, private readonly options: ScanOptions) {}

  /** `above` are the real places of this directory and those it is in: a link back to one would never end. */
  async enter(directory: TreeItem, above: readonly BytePath[]): Promise<void> {
    this.directories.push(directory);
    const entries = await this.#tried(directory.source, async () => {
      const { entries, unnamable } = await this.side.list(directory.source);
      for (const name of unnamable) {
        this.#problem(
          `${placed(this.side, directory.source)}: cannot ask the server for the link ${
            JSON.stringify(name)
          }`,
        );
      }
      return entries;
    }) ?? [];
    const sorted = [...entries].sort((one, other) => one.name < other.name ? -1 : 1);
    const below: { item: TreeItem; entry: Entry }[] = [];
    for (let at = 0; at < sorted.length; at += ASKED_AT_ONCE) {
      const asked = sorted.slice(at, at + ASKED_AT_ONCE).map((entry) => this.#look(directory, entry));
      for (const found of await Promise.all(asked)) if (found !== null) below.push(found);
    }
    for (const { item, entry } of below) await this.#place(item, entry, above);
  }

  async #look(directory: TreeItem, entry: Entry): Promise<{ item: TreeItem; entry: Entry } | null> {
    const source = join(directory.source, entry.name);
    const facts = await this.#tried(source, () => this.side.look(source));
    if (facts === null) return null;
    const path = (directory.path === "" ? entry.name : join(directory.path, entry.name)) as BytePath;
    return { item: { path, source, facts }, entry };
  }

  async #place(item: TreeItem, { isLink }: Entry, above: readonly BytePath[]): Promise<void> {
    const { facts, source } = item;
    if (isLink && this.options.keepLinks) {
      this.links.push(item);
    } else if (facts.kind === "file") {
      this.files.push(item);
    } else if (facts.kind === "directory") {
      const real = isLink
        ? await this.#tried(
          source,
          async () => bytePath(await this.side.files.canonicalize(nativePath(source))),
        )
        : source;
      if (real === null) return;
      if (above.includes(real)) {
        return this.#problem(`${placed(this.side, source)}: a link to a directory that it is in`);
      }
      if (above.length >= MAX_LEVELS) {
        return this.#problem(`${placed(this.side, source)}: more than ${MAX_LEVELS} levels deep`);
      }
      await this.enter({ ...item, source: real }, [...above, real]);
    } else {
      const what = facts.kind === "link" ? "a link that leads nowhere" : "neither a file nor a directory";
      this.#problem(`${placed(this.side, source)}: ${what}, left out`);
    }
  }

  /** What fails for one place is told, and the rest goes on; null then, as for what is gone meanwhile. */
  async #tried<T>(path: BytePath, call: () => Promise<T>): Promise<T | null> {
    try {
      return await call();
    } catch (error) {
      const told = fileFailure(`cannot read ${placed(this.side, path)}`, error);
      if (isLinkFailure(error) || !(told instanceof CommandError)) throw told;
      this.options.onProblem(told);
      return null;
    }
  }

  #problem(message: string): void {
    this.options.onProblem(new CommandError(message, null, EXIT.failed));
  }
}

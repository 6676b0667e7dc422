import { CommandError, EXIT } from "../exit_status.ts";
import { again } from "./again.ts";
import { type BytePath, bytePath, join, nativePath } from "./byte_path.ts";
import { fileFailure, isLinkFailure, placed } from "./file_failure.ts";
import type { FactListing, Facts, Side } from "./side.ts";

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
  /** Links that are copied as what they lead to, which may be far more than this tree. */
  readonly followed: number;
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
  followed = 0;

  constructor(private readonly side: Side, private readonly options: ScanOptions) {}

  /** `above` are the real places of this directory and those it is in: a link back to one would never end. */
  async enter(directory: TreeItem, above: readonly BytePath[]): Promise<void> {
    this.directories.push(directory);
    const listing = await this.#tried(directory.source, () => this.#list(directory.source));
    const [names, known] = [listing?.names ?? [], listing?.known ?? new Map<BytePath, Facts>()];
    const below: TreeItem[] = [];
    for (let at = 0; at < names.length; at += ASKED_AT_ONCE) {
      const asked = names.slice(at, at + ASKED_AT_ONCE).map((name) =>
        this.#look(directory, name, known.get(name))
      );
      for (const item of await Promise.all(asked)) if (item !== null) below.push(item);
    }
    for (const item of below) await this.#place(item, above);
  }

  async #list(directory: BytePath): Promise<Pick<FactListing, "names" | "known">> {
    const { names, unnamable, known } = await this.side.listFacts(directory);
    for (const name of unnamable) {
      const where = placed(this.side, directory);
      this.#problem(`${where}: cannot ask the server for what it calls ${JSON.stringify(name)}`);
    }
    return { names: [...names].sort(), known };
  }

  async #look(directory: TreeItem, name: BytePath, known: Facts | undefined): Promise<TreeItem | null> {
    const source = join(directory.source, name);
    const facts = known ?? await this.#tried(source, () => this.side.look(source));
    return facts && { path: directory.path === "" ? name : join(directory.path, name), source, facts };
  }

  async #place(item: TreeItem, above: readonly BytePath[]): Promise<void> {
    const { facts, source } = item;
    if (facts.isLink && this.options.keepLinks) {
      this.links.push(item);
      return;
    }
    if (facts.isLink && facts.kind !== "link") this.followed++;
    if (facts.kind === "file") {
      this.files.push(item);
    } else if (facts.kind === "directory") {
      const real = facts.isLink
        ? await this.#tried(
          source,
          async () => bytePath(await again(() => this.side.files.canonicalize(nativePath(source)))),
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

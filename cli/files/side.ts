import type { FileSystem } from "../../lib/fs/file_system.ts";
import type { BytePath } from "./byte_path.ts";

export type Kind = "file" | "directory" | "link" | "other";

/** What stands at a path. What a place does not tell is null. */
export interface Facts {
  /** Of what a link leads to; `link` where it leads nowhere. */
  readonly kind: Kind;
  readonly isLink: boolean;
  readonly size: number;
  readonly modifiedAtMs: number;
  readonly createdAtMs: number;
  readonly accessedAtMs: number | null;
  /** When anything of it last changed; unlike the other times nobody can set it back. */
  readonly changedAtMs: number | null;
  /** Permissions and the three bits before them. */
  readonly mode: number | null;
  /** The same for two names of one file, and for nothing else on that machine. */
  readonly identity: string | null;
  /** The names it has. */
  readonly links: number | null;
  /** What is written in the link; null where there is none, too. */
  readonly linkTarget: BytePath | null;
}

export interface Listing {
  /** In no order. */
  readonly names: readonly BytePath[];
  /** Names that are there and cannot be asked for. */
  readonly unnamable: readonly string[];
}

export interface FactListing extends Listing {
  /** Of some of the names, links followed; the others have to be looked at one by one. */
  readonly known: ReadonlyMap<BytePath, Facts>;
}

/** The files of one machine as a copy sees them. */
export interface Side {
  /** null right here: nobody needs to be told. */
  readonly name: string | null;
  readonly files: FileSystem;
  /** Whether it can do what a plain Codex server cannot. */
  readonly isBeyondCodex: boolean;
  /** Where commands start and where the user is at home, as far as that is known. */
  readonly landmarks: readonly BytePath[];
  /** Where relative paths begin. */
  absolute(path: BytePath): BytePath;
  /** null: nothing is there. */
  look(path: BytePath): Promise<Facts | null>;
  /** The path must lead to the directory without being a link itself. */
  list(path: BytePath): Promise<Listing>;
  /** The same with what stands under each name. */
  listFacts(path: BytePath): Promise<FactListing>;
}

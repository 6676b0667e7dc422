import type { FileSystem } from "../../lib/fs/file_system.ts";
import type { BytePath } from "./byte_path.ts";

export type Kind = "file" | "directory" | "link" | "other";

/** What stands at a path. What a place does not tell is null. */
export interface Facts {
  /** Of what a link leads to; `link` where that was not asked, or where it leads nowhere. */
  readonly kind: Kind;
  readonly isLink: boolean;
  readonly size: number;
  readonly modifiedAtMs: number;
  /** Permissions and the three bits before them. */
  readonly mode: number | null;
  /** The same for two names of one file, and for nothing else on that machine. */
  readonly identity: string | null;
}

export interface Entry {
  readonly name: BytePath;
  readonly kind: Kind;
  readonly isLink: boolean;
}

export interface Listing {
  readonly entries: readonly Entry[];
  /** Names that are there and cannot be asked for. */
  readonly unnamable: readonly string[];
}

/** What a machine can do with files beyond what Codex's protocol has a word for. Throws FsError. */
export interface Powers {
  /** Takes the place of what is there, all at once. */
  rename(from: BytePath, to: BytePath): void;
  setMode(path: BytePath, mode: number): void;
  setModified(path: BytePath, ms: number): void;
  linkText(path: BytePath): BytePath;
}

/** The files of one machine as a copy sees them. */
export interface Side {
  /** null right here: nobody needs to be told. */
  readonly name: string | null;
  readonly files: FileSystem;
  /** null where the wire is between us. */
  readonly powers: Powers | null;
  /** Where relative paths begin. */
  absolute(path: BytePath): Promise<BytePath>;
  /** null: nothing is there. */
  look(path: BytePath): Promise<Facts | null>;
  list(path: BytePath): Promise<Listing>;
  /** Resolves when the machine can be asked again after its connection broke; rejects when it will not be. */
  repaired(): Promise<void>;
}

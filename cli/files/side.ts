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

export interface Listing {
  /** In no order. */
  readonly names: readonly BytePath[];
  /** Names that are there and cannot be asked for. */
  readonly unnamable: readonly string[];
}

/** A file that is written on from where it ends. */
export interface ContinuedFile {
  /** What it has already. */
  readonly size: number;
  write(offset: number, bytes: Uint8Array): Promise<void>;
  /** What was not written up to there is a hole, and reads as zeros. */
  extendTo(length: number): void;
  setMode(mode: number): void;
  setModified(ms: number): void;
  close(): void;
}

/** What a machine can do with files beyond what Codex's protocol has a word for. Throws FsError. */
export interface Powers {
  /** Takes the place of what is there, all at once. */
  rename(from: BytePath, to: BytePath): void;
  setMode(path: BytePath, mode: number): void;
  setModified(path: BytePath, ms: number): void;
  /** A file that nobody else may look into; fails where anything is there already. */
  create(path: BytePath): ContinuedFile;
  /**
   * Gives `kept` the name `working` and opens it, where it is certainly ours: a regular file of our user that nobody
   * else may open, under this name only, and of `most` bytes at most. null: it is not, or nothing is there.
   */
  takeOver(kept: BytePath, working: BytePath, most: number): ContinuedFile | null;
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
  absolute(path: BytePath): BytePath;
  /** null: nothing is there. */
  look(path: BytePath): Promise<Facts | null>;
  /** The path must lead to the directory without being a link itself. */
  list(path: BytePath): Promise<Listing>;
}

/** An absolute path of the machine where the files are: text where it is UTF-8, else its bytes. */
export type NativePath = string | Uint8Array;

/** Now where it can be had at once, so that small things cost no turn of the event loop. */
export type Soon<T> = T | Promise<T>;

export interface FollowOptions {
  /** false: no symbolic link is followed, neither on the way nor at the end. */
  readonly followSymlinks?: boolean;
}

export interface ReadOptions extends FollowOptions {
  /** Told the size of a large file before memory is taken for it; the read begins when this allows it. */
  readonly mayTake?: (bytes: number) => Soon<void>;
}

export interface CreateDirectoryOptions extends FollowOptions {
  /** Parents too, and what exists already is fine. */
  readonly recursive: boolean;
}

export interface RemoveOptions extends FollowOptions {
  readonly recursive: boolean;
  /** What is not there is fine. */
  readonly force: boolean;
}

/** Kind, size and times are those of what a link leads to. */
export interface FileMetadata {
  readonly isDirectory: boolean;
  readonly isFile: boolean;
  /** What stands at the path itself. */
  readonly isSymlink: boolean;
  readonly size: number;
  /** Whole milliseconds since 1970. */
  readonly createdAtMs: number;
  readonly modifiedAtMs: number;
}

export interface DirectoryEntry {
  /** One name. */
  readonly name: NativePath;
  /** Of what a link leads to. */
  readonly isDirectory: boolean;
  readonly isFile: boolean;
}

export interface WalkOptions {
  /** The root is at depth 0; what is in a directory of this depth is named, and not entered. */
  readonly maxDepth: number;
  /** Directories to enter, the root included. */
  readonly maxDirectories: number;
  /** Entries to look at. */
  readonly maxEntries: number;
  readonly followDirectorySymlinks: boolean;
  /** Names directories that begin with a dot, and does not enter them. */
  readonly pruneHiddenDirectories: boolean;
}

export type WalkItem =
  | { readonly kind: "directory" | "file"; readonly path: NativePath }
  | { readonly kind: "error"; readonly path: NativePath; readonly message: string };

/** Takes what a walk finds. false: it has no room for this one, and the walk is over. */
export type WalkSink = (item: WalkItem) => boolean;

export interface WalkSummary {
  /** Something was left out: by a limit, or because the sink had no room. */
  readonly truncated: boolean;
}

/** One open file. Calls that overlap must be put in order by who makes them; `close` comes last. */
export interface OpenFile {
  /** Up to `length` bytes from there; fewer only at the end. */
  read(offset: number, length: number): Soon<Uint8Array>;
  /** All of them, or it fails. A hole before them is filled with zeros. */
  write(offset: number, bytes: Uint8Array): Soon<void>;
  close(): Soon<void>;
}

export interface MissingPaths {
  readonly missing: readonly NativePath[];
  /** A file or directory whose own change counts too. */
  readonly present: NativePath | null;
}

export interface MissingWatch {
  /** Nothing is told any more. */
  stop(): void;
}

/**
 * The files of one machine, this one or a far one. Whatever fails throws or rejects with an FsError.
 * Two calls that overlap have no order; who wants one waits for the first.
 */
export interface FileSystem {
  /** The whole of a regular file of at most MAX_READ_FILE_BYTES. */
  readFile(path: NativePath, options?: ReadOptions): Soon<Uint8Array>;
  /**
   * Replaces the content in place: inode, hard links and mode stay. A disk that is too full for more than the
   * file has now is met before an old byte changes.
   */
  writeFile(path: NativePath, bytes: Uint8Array, options?: FollowOptions): Soon<void>;
  /** `replace` creates the file, or empties it. */
  open(path: NativePath, mode: "read" | "replace"): Soon<OpenFile>;
  createDirectory(path: NativePath, options: CreateDirectoryOptions): Soon<void>;
  getMetadata(path: NativePath, options?: FollowOptions): Soon<FileMetadata>;
  /** Without links and dots. */
  canonicalize(path: NativePath): Soon<NativePath>;
  /** Unsorted. Entries that lead nowhere are left out. */
  readDirectory(path: NativePath): Soon<readonly DirectoryEntry[]>;
  /** What is below, breadth first, each directory in the order of its bytes. Paths are relative to the root. */
  walk(root: NativePath, options: WalkOptions, sink: WalkSink): Soon<WalkSummary>;
  remove(path: NativePath, options: RemoveOptions): Soon<void>;
  copy(source: NativePath, destination: NativePath, options: { readonly recursive: boolean }): Soon<void>;
  /**
   * Tells once when one of the missing paths may have appeared, or `present` may have changed. Tells rather too
   * often than not at all, and answers null where it could not know.
   */
  watchMissing(paths: MissingPaths, onChange: () => void): Soon<MissingWatch | null>;
}

/** Above it, open the file and read it in blocks. */
export const MAX_READ_FILE_BYTES = 512 * 1024 * 1024;
export const MAX_DIRECTORY_ENTRIES = 50_000;
export const MAX_WALK = { depth: 64, directories: 10_000, entries: 50_000 } as const;
/** Of one watch. */
export const MAX_MISSING_PATHS = 64;

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

/** For what may take long. */
export interface GiveUpOptions {
  /** Nobody waits for it any more: it ends at its next step, and fails. Of a far place it is not asked. */
  readonly givenUp?: AbortSignal;
}

export interface CopyOptions extends GiveUpOptions {
  readonly recursive: boolean;
}

export interface CreateDirectoryOptions extends FollowOptions {
  /** Parents too, and what exists already is fine. */
  readonly recursive: boolean;
}

export interface RemoveOptions extends FollowOptions, GiveUpOptions {
  readonly recursive: boolean;
  /** What is not there is fine. */
  readonly force: boolean;
}

export interface MetadataOptions extends FollowOptions {
  /** A link is told as what it is itself, also one that leads nowhere. Beyond Codex. */
  readonly itself?: boolean;
}

export interface FileTimes {
  /** Left as it is where absent. */
  readonly accessedAtMs?: number;
  readonly modifiedAtMs: number;
}

/** Kind, size and times are those of what a link leads to, unless it was asked for itself. */
export interface FileMetadata {
  readonly isDirectory: boolean;
  readonly isFile: boolean;
  /** What stands at the path itself. */
  readonly isSymlink: boolean;
  readonly size: number;
  /** Whole milliseconds since 1970. */
  readonly createdAtMs: number;
  readonly modifiedAtMs: number;
  /** null where the place cannot tell it: see FileAbilities. */
  readonly more: MoreMetadata | null;
}

/** What Codex does not tell. Of what a link leads to, unless it was asked for itself. */
export interface MoreMetadata {
  /** Permissions and the three bits before them. */
  readonly mode: number;
  /** Names that it has. */
  readonly links: number;
  /** `dev:ino`: the same for two names of one file, and for nothing else on that machine. */
  readonly identity: string;
  readonly accessedAtMs: number;
  /** When anything of it last changed, its content too: the system's own word, which nobody can set back. */
  readonly changedAtMs: number;
  /** The text of the link at the path itself; null where there is none. */
  readonly linkTarget: NativePath | null;
}

export interface ReadDirectoryOptions {
  /**
   * Every entry, also those that lead nowhere, with `isSymlink`, the bytes of every name, and more than
   * MAX_DIRECTORY_ENTRIES of them. Beyond Codex.
   */
  readonly all?: boolean;
  /** With `all`: each entry with what is known of it, which for many is far sooner there than asked one by one. */
  readonly metadata?: boolean;
}

export interface DirectoryEntry {
  /** One name. */
  readonly name: NativePath;
  /** Of what a link leads to; neither where it leads nowhere. */
  readonly isDirectory: boolean;
  readonly isFile: boolean;
  /** Of the entry itself. Told where `all` was asked for. */
  readonly isSymlink?: boolean;
  /** Told where it was asked for; null of links, and of what could not be looked at: those are asked for themselves. */
  readonly metadata?: FileMetadata | null;
}

export interface WalkOptions extends GiveUpOptions {
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

/**
 * `replace` creates the file, or empties it. `update` creates it too, leaves what is in it, and is for reading as well;
 * it is beyond Codex.
 */
export type OpenMode = "read" | "replace" | "update";

export interface OpenOptions {
  /**
   * With `update`: nobody else may look into it. A new one has mode 0600. One that is there is taken only where it is
   * certainly ours: a regular file of our user with that mode, under this name only, and no link; else it is refused.
   */
  readonly private?: boolean;
}

/** What is to be changed of an open file, in this order. */
export interface FileAttributes extends Partial<FileTimes> {
  /** Cuts it off there, or extends it with zeros that need no room. */
  readonly length?: number;
  /** 0 to 0o7777. */
  readonly mode?: number;
}

/** One open file. Calls that overlap must be put in order by who makes them; `close` comes last. */
export interface OpenFile {
  /** Its bytes when it was opened; null from a plain Codex server, which does not tell. */
  readonly size: number | null;
  /** Up to `length` bytes from there; fewer only at the end. */
  read(offset: number, length: number): Soon<Uint8Array>;
  /** All of them, or it fails. A hole before them is filled with zeros. */
  write(offset: number, bytes: Uint8Array): Soon<void>;
  /** Of this very file, whatever stands under its name by now. Beyond Codex. */
  setAttributes(attributes: FileAttributes): Soon<void>;
  close(): Soon<void>;
}

export interface MissingPaths {
  readonly missing: readonly NativePath[];
  /** A file or directory whose own change counts too. */
  readonly present: NativePath | null;
}

export interface Watch {
  /** Nothing is told any more. */
  stop(): void;
}

export type MissingWatch = Watch;

/** What has happened since it was last told, to what is watched. */
export interface Change {
  /** Entries that came, went or changed, each once. None for a file, or for the directory itself. */
  readonly names: readonly NativePath[];
  /** More changed than is named. */
  readonly overflow: boolean;
  /** This is the last of it: the directory is no longer there, or nobody can look any more. */
  readonly ended: boolean;
}

export interface FileAbilities {
  /** Whether it can do what a plain Codex server cannot. There all that says "beyond Codex" fails as `unsupported`. */
  readonly beyondCodex: boolean;
}

/**
 * The files of one machine, this one or a far one. Whatever fails throws or rejects with an FsError.
 * Two calls that overlap have no order; who wants one waits for the first.
 */
export interface FileSystem {
  /** Of a far place those of its connection just now; it waits while there is none. */
  abilities(): Soon<FileAbilities>;
  /** The whole of a regular file of at most MAX_READ_FILE_BYTES. */
  readFile(path: NativePath, options?: ReadOptions): Soon<Uint8Array>;
  /**
   * Replaces the content in place: inode, hard links and mode stay. A disk that is too full for more than the
   * file has now is met before an old byte changes.
   */
  writeFile(path: NativePath, bytes: Uint8Array, options?: FollowOptions): Soon<void>;
  /** At the end, one after the other with those of others. Creates the file; regular files only. Beyond Codex. */
  append(path: NativePath, bytes: Uint8Array): Soon<void>;
  open(path: NativePath, mode: OpenMode, options?: OpenOptions): Soon<OpenFile>;
  createDirectory(path: NativePath, options: CreateDirectoryOptions): Soon<void>;
  /** Fails with EEXIST where anything is there. The target is any bytes but NUL; nobody looks where it leads. Beyond Codex. */
  createSymlink(path: NativePath, target: NativePath): Soon<void>;
  getMetadata(path: NativePath, options?: MetadataOptions): Soon<FileMetadata>;
  /** 0 to 0o7777. Without following links, one at the end is refused. Beyond Codex. */
  setMode(path: NativePath, mode: number, options?: FollowOptions): Soon<void>;
  /** Whole milliseconds. Without following links, those of the link itself. Beyond Codex. */
  setTimes(path: NativePath, times: FileTimes, options?: FollowOptions): Soon<void>;
  /** Without links and dots. */
  canonicalize(path: NativePath): Soon<NativePath>;
  /** Unsorted. Entries that lead nowhere are left out, unless all are asked for. */
  readDirectory(path: NativePath, options?: ReadDirectoryOptions): Soon<readonly DirectoryEntry[]>;
  /** What is below, breadth first, each directory in the order of its bytes. Paths are relative to the root. */
  walk(root: NativePath, options: WalkOptions, sink: WalkSink): Soon<WalkSummary>;
  remove(path: NativePath, options: RemoveOptions): Soon<void>;
  /** A copy of a file that fails is not left behind, unless there was a file before: that has the beginning of it. */
  copy(source: NativePath, destination: NativePath, options: CopyOptions): Soon<void>;
  /** Takes the place of what is there, all at once. A link is renamed itself. Beyond Codex. */
  rename(from: NativePath, to: NativePath): Soon<void>;
  /**
   * Tells once when one of the missing paths may have appeared, or `present` may have changed. Tells rather too
   * often than not at all, and answers null where it could not know.
   */
  watchMissing(paths: MissingPaths, onChange: () => void): Soon<MissingWatch | null>;
  /**
   * Tells again and again of a file or of what is directly in a directory, together what happens within
   * WATCH_PACE_MS. A file is watched by its name, so that another one in its place is told too. Links are followed
   * when it begins; what is done to the directories above goes unnoticed from then on. null: it could not know of
   * every change. Beyond Codex.
   */
  watch(path: NativePath, onChange: (change: Change) => void): Soon<Watch | null>;
}

/** Above it, open the file and read it in blocks. */
export const MAX_READ_FILE_BYTES = 512 * 1024 * 1024;
export const MAX_DIRECTORY_ENTRIES = 50_000;
export const MAX_WALK = { depth: 64, directories: 10_000, entries: 50_000 } as const;
/** Of one watch. */
export const MAX_MISSING_PATHS = 64;
/** Told at most this often of one watch, and so many names at a time. */
export const WATCH_PACE_MS = 50;
export const MAX_CHANGED_NAMES = 256;

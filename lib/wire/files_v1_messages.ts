import * as z from "zod/mini";
import { WrittenResult } from "./envelope.ts";
import { followSymlinks, type GetMetadataResult, type OpenResult, pathUri, sandbox } from "./fs_messages.ts";
import { flag, later, nullable, optional, struct, text, u64, variants } from "./message_fields.ts";
import { invalidType } from "./invalid_type.ts";

// What `files.v1` adds to `fs/*`: what two of ours say about files where Codex has no word.

/** Whole milliseconds since 1970; before it they are negative. */
export const timeMs = () =>
  z.custom<number>(Number.isSafeInteger, { error: ({ input }) => invalidType(input, "an integer") });

/** Permissions and the three bits before them. */
export const fileMode = () =>
  z.custom<number>((value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 0o7777, {
    error: "file mode must be between 0 and 4095",
  });

export const updateOpenParams = later(() =>
  struct("FsOpenParams", {
    handleId: text(),
    path: pathUri(),
    mode: optional(variants("read", "replace", "update"), "read"),
    private: z.optional(flag()),
    sandbox: sandbox(),
  })
);

export interface SizedOpenResult extends OpenResult {
  /** What it had when it was opened. Only where `files.v1` was agreed. */
  readonly size?: number;
}

export const fullMetadataParams = later(() =>
  struct("FsGetMetadataParams", {
    path: pathUri(),
    followSymlinks: followSymlinks(),
    /** A link as what it is. */
    itself: z.optional(flag()),
    sandbox: sandbox(),
  })
);

export interface FullMetadataResult extends GetMetadataResult {
  /** Only where `files.v1` was agreed. */
  readonly more?: {
    readonly mode: number;
    readonly links: number;
    readonly identity: string;
    readonly accessedAtMs: number;
    readonly changedAtMs: number;
    /** Its bytes; null for what is no link. */
    readonly linkTargetBase64: string | null;
  };
}

export const renameParams = later(() =>
  struct("FsRenameParams", {
    sourcePath: pathUri(),
    destinationPath: pathUri(),
    sandbox: sandbox(),
  })
);

export const chmodParams = later(() =>
  struct("FsChmodParams", {
    path: pathUri(),
    mode: fileMode(),
    followSymlinks: followSymlinks(),
    sandbox: sandbox(),
  })
);

export const utimesParams = later(() =>
  struct("FsUtimesParams", {
    path: pathUri(),
    /** Left as it is where absent. */
    accessedAtMs: nullable(timeMs()),
    modifiedAtMs: timeMs(),
    followSymlinks: followSymlinks(),
    sandbox: sandbox(),
  })
);

export const symlinkParams = later(() =>
  struct("FsSymlinkParams", {
    path: pathUri(),
    targetBase64: text(),
    sandbox: sandbox(),
  })
);

export const appendParams = later(() =>
  struct("FsAppendParams", {
    path: pathUri(),
    dataBase64: text(),
    sandbox: sandbox(),
  })
);

/** Of an open file; what is absent stays. */
export const setAttributesParams = later(() =>
  struct("FsSetAttributesParams", {
    handleId: text(),
    length: nullable(u64()),
    mode: nullable(fileMode()),
    accessedAtMs: nullable(timeMs()),
    modifiedAtMs: nullable(timeMs()),
  })
);

export const listParams = later(() =>
  struct("FsListParams", {
    path: pathUri(),
    /** With what is known of each entry. */
    metadata: z.optional(flag()),
    sandbox: sandbox(),
  })
);

export interface ListResult {
  /**
   * Every entry of a directory: a letter for its kind, its name, NUL; what is known of it and NUL where that was asked
   * for. One text however many they are: a message may
   * hold far fewer values than a directory entries.
   */
  readonly listingBase64: string;
}

export function writeListResult(listingBase64: string): WrittenResult<ListResult> {
  return new WrittenResult(`{"listingBase64":"${listingBase64}"}`);
}

/** Bytes before they are base64, so that the answer fits into a message. */
export const MAX_LISTING_BYTES = 44 * 1024 * 1024;

export const watchParams = later(() =>
  struct("FsWatchParams", { watchId: u64(), path: pathUri(), sandbox: sandbox() })
);

export interface WatchResult {
  readonly watching: boolean;
}

export const unwatchParams = later(() => struct("FsUnwatchParams", { watchId: u64() }));

/** The notification of a watch, again and again. */
export interface Changed {
  readonly watchId: number;
  /** Encoded as in path URIs. */
  readonly names: readonly string[];
  readonly overflow: boolean;
  readonly ended: boolean;
}

/** Of one connection. */
export const MAX_WATCHES = 64;

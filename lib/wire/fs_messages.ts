import * as z from "zod/mini";
import { encodeBase64 } from "./base64.ts";
import { WrittenResult } from "./envelope.ts";
import { type FileUri, FileUriError, parseFileUri } from "./file_uri.ts";
import { flag, later, nullable, optional, struct, text, u64, usize, variants } from "./message_fields.ts";
import { invalidType } from "./invalid_type.ts";
import { pathUri } from "./path_uri.ts";
import { sandboxContext } from "./sandbox_messages.ts";

export { pathUri };
export const sandbox = sandboxContext;
export const followSymlinks = () => nullable(flag());

export const readFileParams = later(() =>
  struct("FsReadFileParams", {
    path: pathUri(),
    followSymlinks: followSymlinks(),
    sandbox: sandbox(),
  })
);

export interface ReadFileResult {
  readonly dataBase64: string;
}

export function writeReadFileResult(dataBase64: string): WrittenResult<ReadFileResult> {
  return new WrittenResult(`{"dataBase64":"${dataBase64}"}`);
}

export const openParams = later(() =>
  struct("FsOpenParams", {
    handleId: text(),
    path: pathUri(),
    mode: optional(variants("read", "replace"), "read"),
    sandbox: sandbox(),
  })
);

export interface OpenResult {
  readonly handleId: string;
}

export const readBlockParams = later(() =>
  struct("FsReadBlockParams", {
    handleId: text(),
    offset: u64(),
    len: usize(),
  })
);

export interface ReadBlockResult {
  readonly chunk: string;
  readonly eof: boolean;
}

export function writeReadBlockResult(bytes: Uint8Array, eof: boolean): WrittenResult<ReadBlockResult> {
  return new WrittenResult(`{"chunk":"${encodeBase64(bytes)}","eof":${eof}}`);
}

export const writeBlockParams = later(() =>
  struct("FsWriteBlockParams", {
    handleId: text(),
    offset: u64(),
    chunk: text(),
  })
);

export const closeParams = later(() => struct("FsCloseParams", { handleId: text() }));

export const writeFileParams = later(() =>
  struct("FsWriteFileParams", {
    path: pathUri(),
    dataBase64: text(),
    followSymlinks: followSymlinks(),
    sandbox: sandbox(),
  })
);

export const createDirectoryParams = later(() =>
  struct("FsCreateDirectoryParams", {
    path: pathUri(),
    recursive: nullable(flag()),
    followSymlinks: followSymlinks(),
    sandbox: sandbox(),
  })
);

export const getMetadataParams = later(() =>
  struct("FsGetMetadataParams", {
    path: pathUri(),
    followSymlinks: followSymlinks(),
    sandbox: sandbox(),
  })
);

export interface GetMetadataResult {
  readonly isDirectory: boolean;
  readonly isFile: boolean;
  readonly isSymlink: boolean;
  readonly size: number;
  readonly createdAtMs: number;
  readonly modifiedAtMs: number;
}

export const canonicalizeParams = later(() =>
  struct("FsCanonicalizeParams", { path: pathUri(), sandbox: sandbox() })
);

export interface CanonicalizeResult {
  readonly path: string;
}

export const readDirectoryParams = later(() =>
  struct("FsReadDirectoryParams", { path: pathUri(), sandbox: sandbox() })
);

export interface ReadDirectoryResult {
  readonly entries: readonly {
    /** What is no UTF-8 is lost in it. */
    readonly fileName: string;
    readonly isDirectory: boolean;
    readonly isFile: boolean;
  }[];
}

export const walkParams = later(() =>
  struct("FsWalkParams", {
    path: pathUri(),
    options: struct("WalkOptions", {
      maxDepth: usize(),
      maxDirectories: usize(),
      maxEntries: usize(),
      followDirectorySymlinks: flag(),
      pruneHiddenDirectories: optional(flag(), false),
    }),
    sandbox: sandbox(),
  })
);

export interface WalkResult {
  readonly entries: readonly { readonly path: string; readonly kind: "directory" | "file" }[];
  readonly errors: readonly { readonly path: string; readonly message: string }[];
  readonly truncated: boolean;
}

/** What a walk may answer, and what each item costs beside its texts. */
export const MAX_WALK_ANSWER = 4 * 1024 * 1024;
export const WALK_ITEM_COST = 64;

export const removeParams = later(() =>
  struct("FsRemoveParams", {
    path: pathUri(),
    recursive: nullable(flag()),
    force: nullable(flag()),
    followSymlinks: followSymlinks(),
    sandbox: sandbox(),
  })
);

export const copyParams = later(() =>
  struct("FsCopyParams", {
    sourcePath: pathUri(),
    destinationPath: pathUri(),
    recursive: flag(),
    sandbox: sandbox(),
  })
);

/** As texts: one that names nothing here is no mistake, but cannot be watched. */
const pathUris = () =>
  z.pipe(
    z.custom<string[]>((value) => Array.isArray(value) && value.every((item) => typeof item === "string"), {
      error: ({ input }) =>
        Array.isArray(input)
          ? invalidType(input.find((item) => typeof item !== "string"), "a string")
          : invalidType(input, "a sequence"),
    }),
    z.transform((given, { issues, value }): FileUri[] => {
      try {
        return given.map(parseFileUri);
      } catch (error) {
        if (!(error instanceof FileUriError)) throw error;
        issues.push({ code: "custom", message: error.message, input: value });
        return z.NEVER;
      }
    }),
  );

export const watchMissingParams = later(() =>
  struct("FsWatchMissingParams", {
    watchId: u64(),
    missing: pathUris(),
    present: nullable(pathUri()),
  })
);

export interface WatchMissingResult {
  readonly watching: boolean;
}

/** The one notification of a watch. */
export interface MissingChanged {
  readonly watchId: number;
}

/** Bytes of a handle's name, and of one block. */
export const MAX_HANDLE_ID_BYTES = 32;
export const MAX_BLOCK_BYTES = 1024 * 1024;

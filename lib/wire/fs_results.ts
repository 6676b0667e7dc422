import * as z from "zod/mini";
import { decodeParams } from "./decode.ts";
import { flag, later, struct, text, u64, unchecked, variants } from "./message_fields.ts";
import type {
  CanonicalizeResult,
  GetMetadataResult,
  ReadBlockResult,
  ReadDirectoryResult,
  ReadFileResult,
  WalkResult,
  WatchMissingResult,
} from "./fs_messages.ts";
import { invalidType } from "./invalid_type.ts";

// What a server answers to `fs/*`. Members that are not named are newer ones. Each throws a DecodeError.

/** Milliseconds since 1970; before it they are negative. */
const time = () =>
  z.custom<number>(Number.isInteger, { error: ({ input }) => invalidType(input, "an integer") });

const readFileResult = later(() => struct("FsReadFileResponse", { dataBase64: text() }));

const readBlockResult = later(() => struct("FsReadBlockResponse", { chunk: text(), eof: flag() }));

const getMetadataResult = later(() =>
  struct("FsGetMetadataResponse", {
    isDirectory: flag(),
    isFile: flag(),
    isSymlink: flag(),
    size: u64(),
    createdAtMs: time(),
    modifiedAtMs: time(),
  })
);

const canonicalizeResult = later(() => struct("FsCanonicalizeResponse", { path: text() }));

const readDirectoryResult = later(() =>
  struct("FsReadDirectoryResponse", {
    entries: z.array(
      struct("FsReadDirectoryEntry", { fileName: text(), isDirectory: flag(), isFile: flag() }),
    ),
  })
);

const walkResult = later(() =>
  struct("FsWalkResponse", {
    entries: z.array(struct("FsWalkEntry", { path: text(), kind: variants("directory", "file") })),
    errors: z.array(struct("FsWalkError", { path: text(), message: text() })),
    truncated: flag(),
  })
);

const watchMissingResult = later(() => struct("FsWatchMissingResponse", { watching: flag() }));

const missingChanged = later(() => struct("FsMissingChangedNotification", { watchId: u64() }));

const done = later(() => struct("FsResponse", { _: unchecked() }));

export const readReadFileAnswer = (result: unknown): ReadFileResult => decodeParams(readFileResult(), result);
export const readReadBlockAnswer = (result: unknown): ReadBlockResult =>
  decodeParams(readBlockResult(), result);
export const readGetMetadataAnswer = (result: unknown): GetMetadataResult =>
  decodeParams(getMetadataResult(), result);
export const readCanonicalizeAnswer = (result: unknown): CanonicalizeResult =>
  decodeParams(canonicalizeResult(), result);
export const readReadDirectoryAnswer = (result: unknown): ReadDirectoryResult =>
  decodeParams(readDirectoryResult(), result);
export const readWalkAnswer = (result: unknown): WalkResult => decodeParams(walkResult(), result);
export const readWatchMissingAnswer = (result: unknown): WatchMissingResult =>
  decodeParams(watchMissingResult(), result);

/** The watch that a notification `fs/missingChanged` speaks of. */
export const readMissingChanged = (params: unknown): number => decodeParams(missingChanged(), params).watchId;

/** That it is done is all there is to say. */
export function readDone(result: unknown): void {
  decodeParams(done(), result);
}

import { decodeBase64 } from "./base64.ts";
import { decodeParams } from "./decode.ts";
import {
  type Changed,
  type FullMetadataResult,
  type ListResult,
  timeMs,
  type WatchResult,
} from "./files_v1_messages.ts";
import { readGetMetadataAnswer } from "./fs_results.ts";
import { flag, later, nullable, struct, text, texts, u64 } from "./message_fields.ts";

// What a server of ours answers where `files.v1` was agreed. Each throws a DecodeError.

const sizedOpenResult = later(() => struct("FsOpenResponse", { handleId: text(), size: u64() }));

const moreMetadata = later(() =>
  struct("FsGetMetadataResponse", {
    more: struct("FsMoreMetadata", {
      mode: u64(),
      links: u64(),
      identity: text(),
      accessedAtMs: timeMs(),
      changedAtMs: timeMs(),
      linkTargetBase64: nullable(text()),
    }),
  })
);

const listResult = later(() => struct("FsListResponse", { listingBase64: text() }));

const watchResult = later(() => struct("FsWatchResponse", { watching: flag() }));

const changed = later(() =>
  struct("FsChangedNotification", {
    watchId: u64(),
    names: texts(),
    overflow: flag(),
    ended: flag(),
  })
);

export const readSizedOpenAnswer = (result: unknown): { readonly size: number } =>
  decodeParams(sizedOpenResult(), result);

export function readFullMetadataAnswer(result: unknown): Required<FullMetadataResult> {
  return { ...readGetMetadataAnswer(result), ...decodeParams(moreMetadata(), result) };
}

export function readListAnswer(result: unknown): Uint8Array {
  const { listingBase64 }: ListResult = decodeParams(listResult(), result);
  return decodeBase64(listingBase64);
}

export const readWatchAnswer = (result: unknown): WatchResult => decodeParams(watchResult(), result);
export const readChanged = (params: unknown): Changed => decodeParams(changed(), params);

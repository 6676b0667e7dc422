import type { DirectoryEntry, FileMetadata } from "../fs/file_system.ts";
import { decodeBase64 } from "../wire/base64.ts";
import { type ListedMetadata, readListing } from "../wire/directory_listing.ts";
import type { Agreed } from "../wire/extensions.ts";
import { readFullMetadataAnswer, readListAnswer, readSizedOpenAnswer } from "../wire/files_v1_results.ts";
import { readGetMetadataAnswer } from "../wire/fs_results.ts";
import { nativeOf } from "./far_path.ts";

// What answers say where `files.v1` was agreed. Elsewhere a member of the same name means something else, if anything.

export function readSize(result: unknown, agreed: Agreed): number | null {
  return agreed.has("files.v1") ? readSizedOpenAnswer(result).size : null;
}

export function readMetadata(result: unknown, agreed: Agreed): FileMetadata {
  return agreed.has("files.v1") ? readFullMetadata(result) : { ...readGetMetadataAnswer(result), more: null };
}

export function readFullMetadata(result: unknown): FileMetadata {
  const { more, ...plain } = readFullMetadataAnswer(result);
  const { linkTargetBase64, ...rest } = more;
  const linkTarget = linkTargetBase64 === null ? null : nativeOf(decodeBase64(linkTargetBase64));
  return { ...plain, more: { ...rest, linkTarget } };
}

export function readEntries(result: unknown, withMetadata: boolean): DirectoryEntry[] {
  return readListing(readListAnswer(result), withMetadata).map(({ bytes, metadata, ...kinds }) => ({
    name: nativeOf(Buffer.from(bytes, "latin1")),
    ...kinds,
    ...(metadata === undefined ? {} : { metadata: metadata && { ...kinds, ...inMembers(metadata) } }),
  }));
}

function inMembers(
  listed: ListedMetadata,
): Pick<FileMetadata, "size" | "createdAtMs" | "modifiedAtMs" | "more"> {
  const { size, createdAtMs, modifiedAtMs, mode, links, identity, accessedAtMs, changedAtMs } = listed;
  const more = { mode, links, identity, accessedAtMs, changedAtMs, linkTarget: null };
  return { size, createdAtMs, modifiedAtMs, more };
}

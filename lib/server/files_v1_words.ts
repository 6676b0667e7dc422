import type { DirectoryEntry, FileMetadata, NativePath } from "../fs/file_system.ts";
import { FsError } from "../fs/fs_error.ts";
import { nextTurn, turnIsOver } from "../fs/local/turns.ts";
import { encodeBase64, encodeBase64InPieces } from "../wire/base64.ts";
import { type ListedMetadata, writeListedName } from "../wire/directory_listing.ts";
import type { WrittenResult } from "../wire/envelope.ts";
import type { Agreed } from "../wire/extensions.ts";
import {
  type FullMetadataResult,
  type ListResult,
  MAX_LISTING_BYTES,
  writeListResult,
} from "../wire/files_v1_messages.ts";

// What `files.v1` has words for; a plain Codex client must not see any of them.

export function sizeInWords(size: number | null, agreed: Agreed): { readonly size?: number } {
  return size !== null && agreed.has("files.v1") ? { size } : {};
}

export function metadataInWords({ more, ...plain }: FileMetadata, agreed: Agreed): FullMetadataResult {
  if (more === null || !agreed.has("files.v1")) return plain;
  const { linkTarget, ...rest } = more;
  const linkTargetBase64 = linkTarget === null ? null : encodeBase64(bytesOf(linkTarget));
  return { ...plain, more: { ...rest, linkTargetBase64 } };
}

/** Names are written in portions, so that asking for the time costs nothing beside them. */
const NAMES_PER_LOOK = 64;

export async function listingInWords(entries: readonly DirectoryEntry[]): Promise<WrittenResult<ListResult>> {
  let listing = "";
  for (const [step, { name, isDirectory, isFile, isSymlink = false, metadata }] of entries.entries()) {
    const kinds = { isDirectory, isFile, isSymlink };
    const more = metadata === undefined ? {} : { metadata: metadata && listedMetadata(metadata) };
    listing += writeListedName({ bytes: byteString(name), ...kinds, ...more });
    if (listing.length > MAX_LISTING_BYTES) throw tooLong(entries.length);
    if (step % NAMES_PER_LOOK === 0 && turnIsOver()) await nextTurn();
  }
  let text = ""; // its pieces are joined when it is sent
  for (const piece of encodeBase64InPieces(Buffer.from(listing, "latin1"))) {
    text += piece;
    if (turnIsOver()) await nextTurn();
  }
  return writeListResult(text);
}

function listedMetadata({ size, createdAtMs, modifiedAtMs, more }: FileMetadata): ListedMetadata | null {
  if (more === null) return null;
  const { mode, links, accessedAtMs, changedAtMs, identity } = more;
  return { size, createdAtMs, modifiedAtMs, mode, links, accessedAtMs, changedAtMs, identity };
}

function tooLong(count: number): FsError {
  return new FsError(
    "unsupported",
    `the names of ${count} entries are too long to list: limit is ${MAX_LISTING_BYTES} bytes`,
  );
}

function byteString(name: NativePath): string {
  return bytesOf(name).toString("latin1");
}

function bytesOf(path: NativePath): Buffer {
  return typeof path === "string"
    ? Buffer.from(path)
    : Buffer.from(path.buffer, path.byteOffset, path.length);
}

import { readBlocks } from "../fs/file_blocks.ts";
import {
  type FileSystem,
  MAX_READ_FILE_BYTES,
  type NativePath,
  type OpenFile,
  type ReadOptions,
} from "../fs/file_system.ts";
import { FsError } from "../fs/fs_error.ts";
import { decodeBase64 } from "../wire/base64.ts";
import { readReadFileAnswer } from "../wire/fs_results.ts";
import { uriOf } from "./far_path.ts";
import type { FileCalls } from "./file_calls.ts";
import { MAX_WHOLE_FILE_BYTES } from "./whole_file_limit.ts";

/** Up to here in one message: larger ones would stand long before the others on the line. */
const SMALL_FILE_BYTES = 4 * 1024 * 1024;

/**
 * Reads a whole file of a server, which may be larger than a message can be. Its size is asked for first: open, read
 * and close at once would be one way there and back fewer, but small messages in a row wait for each other at Codex.
 */
export async function readWholeFile(
  calls: FileCalls,
  files: Pick<FileSystem, "getMetadata" | "open">,
  path: NativePath,
  { followSymlinks = true, mayTake }: ReadOptions,
): Promise<Uint8Array> {
  const size = await sizeOf(files, path, followSymlinks);
  // Handles have no word for links.
  refuseAbove(followSymlinks ? MAX_READ_FILE_BYTES : MAX_WHOLE_FILE_BYTES, size);
  if (size > SMALL_FILE_BYTES) await mayTake?.(size);
  if (size > SMALL_FILE_BYTES && followSymlinks) {
    return await readByBlocks(await files.open(path, "read"), size);
  }
  const params = { path: uriOf(path), ...(followSymlinks ? {} : { followSymlinks }) };
  const read = (result: unknown) => decodeBase64(readReadFileAnswer(result).dataBase64);
  return await calls.call("fs/readFile", params, read);
}

async function sizeOf(
  files: Pick<FileSystem, "getMetadata">,
  path: NativePath,
  followSymlinks: boolean,
): Promise<number> {
  try {
    return (await files.getMetadata(path, { followSymlinks })).size;
  } catch (error) {
    // Refused for what it is, the file is refused when it is read too, in the words for that.
    if (error instanceof FsError && error.code === "refused") return 0;
    throw error;
  }
}

/** A file that is about so long. */
async function readByBlocks(file: OpenFile, size: number): Promise<Uint8Array> {
  try {
    let whole = Buffer.allocUnsafeSlow(size);
    let filled = 0;
    for await (const block of readBlocks(file)) {
      const end = filled + block.length;
      refuseAbove(MAX_READ_FILE_BYTES, end);
      if (end > whole.length) whole = Buffer.concat([whole], Math.max(end, whole.length * 2));
      whole.set(block, filled);
      filled = end;
    }
    return whole.subarray(0, filled);
  } finally {
    await file.close();
  }
}

function refuseAbove(limit: number, size: number): void {
  if (size > limit) throw new FsError("refused", `file is too large to read: limit is ${limit} bytes`);
}

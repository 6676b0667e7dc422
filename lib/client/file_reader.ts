import { Permits } from "../base/permits.ts";
import { FILE_BLOCK_BYTES, readBlocks } from "../fs/file_blocks.ts";
import {
  type FileSystem,
  MAX_READ_FILE_BYTES,
  type NativePath,
  type ReadOptions,
} from "../fs/file_system.ts";
import { FsError } from "../fs/fs_error.ts";
import { decodeBase64 } from "../wire/base64.ts";
import { readReadFileAnswer } from "../wire/fs_results.ts";
import { uriOf } from "./far_path.ts";
import type { FileCalls } from "./file_calls.ts";
import { fsErrorOf } from "./fs_words.ts";
import { RemoteOpenFile } from "./remote_open_file.ts";

/** Whole files that are read at the same time: servers open no more than 128 for one connection. */
const READS_AT_ONCE = 48;

const NEVER = new AbortController().signal;

/** Reads whole files of a server, which may be larger than a message can be. */
export class FileReader {
  readonly #turns = new Permits(READS_AT_ONCE);

  constructor(
    private readonly calls: FileCalls,
    private readonly files: Pick<FileSystem, "getMetadata">,
    private readonly newHandle: () => string,
  ) {}

  /** A small file takes one way there and back. */
  async readByBlocks(path: NativePath, { mayTake }: ReadOptions): Promise<Uint8Array> {
    const uri = uriOf(path);
    const done = await this.#turns.take(NEVER);
    try {
      const { link } = await this.calls.connected();
      const handleId = this.newHandle();
      const file = new RemoteOpenFile(link, handleId);
      const opened = link.call("fs/open", { handleId, path: uri });
      const early = file.read(0, FILE_BLOCK_BYTES);
      early.catch(() => {}); // where it cannot be opened, that is the reason
      await opened;
      try {
        const first = await early.catch((error) => this.#again(file, error));
        if (first.length < FILE_BLOCK_BYTES) return first;
        const { size } = await this.files.getMetadata(path);
        refuseAbove(MAX_READ_FILE_BYTES, size);
        await mayTake?.(size);
        return await gather(file, first, size);
      } finally {
        file.close().catch(() => {}); // it was only read
      }
    } catch (error) {
      throw fsErrorOf(error);
    } finally {
      done();
    }
  }

  /** In one message, where blocks have no word for what is asked. */
  async readAtOnce(path: NativePath, options: ReadOptions, limit: number): Promise<Uint8Array> {
    const { followSymlinks, mayTake } = options;
    const { size } = await this.files.getMetadata(path, { followSymlinks });
    refuseAbove(limit, size);
    if (size > FILE_BLOCK_BYTES) await mayTake?.(size);
    const read = (result: unknown) => decodeBase64(readReadFileAnswer(result).dataBase64);
    return await this.calls.call("fs/readFile", { path: uriOf(path), followSymlinks }, read);
  }

  /** A server that works on several requests at once may have looked for the file before it was open. */
  #again(file: RemoteOpenFile, error: unknown): Promise<Uint8Array> {
    if (error instanceof FsError && error.errno === "EBADF") return file.read(0, FILE_BLOCK_BYTES);
    throw error;
  }
}

/** The rest of a file that began like this and was about so long. */
async function gather(file: RemoteOpenFile, first: Uint8Array, size: number): Promise<Uint8Array> {
  let whole = Buffer.allocUnsafeSlow(Math.max(size, first.length));
  whole.set(first);
  let filled = first.length;
  for await (const block of readBlocks(file, filled)) {
    const end = filled + block.length;
    refuseAbove(MAX_READ_FILE_BYTES, end);
    if (end > whole.length) whole = Buffer.concat([whole], Math.max(end, whole.length * 2));
    whole.set(block, filled);
    filled = end;
  }
  return whole.subarray(0, filled);
}

function refuseAbove(limit: number, size: number): void {
  if (size > limit) throw new FsError("refused", `file is too large to read: limit is ${limit} bytes`);
}

import { inOrder } from "../base/in_order.ts";
import type { FileAttributes, OpenFile } from "../fs/file_system.ts";
import { decodeBase64, encodeBase64 } from "../wire/base64.ts";
import { DecodeError } from "../wire/decode_error.ts";
import type { Agreed } from "../wire/extensions.ts";
import { MAX_BLOCK_BYTES } from "../wire/fs_messages.ts";
import { readDone, readReadBlockAnswer } from "../wire/fs_results.ts";
import { needFilesV1 } from "./file_calls.ts";
import { openFileErrorOf } from "./fs_words.ts";
import type { Link } from "./link.ts";

/** Blocks of one call that are on the wire at the same time. */
const BLOCKS_AT_ONCE = 8;

/** An open file of a server. It belongs to one connection, and is lost with it. */
export class RemoteOpenFile implements OpenFile {
  constructor(
    private readonly link: Link,
    private readonly agreed: Agreed,
    private readonly handleId: string,
    readonly size: number | null,
  ) {}

  async read(offset: number, length: number): Promise<Uint8Array> {
    if (length <= MAX_BLOCK_BYTES) return await this.#readBlock(offset, length);
    const blocks: Uint8Array[] = [];
    for await (
      const block of inOrder(
        BLOCKS_AT_ONCE,
        this.#each(length, (at, size) => this.#readBlock(offset + at, size)),
      )
    ) {
      blocks.push(block);
      if (block.length < MAX_BLOCK_BYTES) break;
    }
    return Buffer.concat(blocks);
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    const write = (at: number, size: number) => this.#writeBlock(offset + at, bytes.subarray(at, at + size));
    if (bytes.length <= MAX_BLOCK_BYTES) return await write(0, bytes.length);
    for await (const _ of inOrder(BLOCKS_AT_ONCE, this.#each(bytes.length, write)));
  }

  async setAttributes(attributes: FileAttributes): Promise<void> {
    needFilesV1(this.agreed, "change what is open but for its bytes");
    const { length, mode, accessedAtMs, modifiedAtMs } = attributes;
    const params = { handleId: this.handleId, length, mode, accessedAtMs, modifiedAtMs };
    try {
      readDone(await this.link.call("fs/setAttributes", params));
    } catch (error) {
      throw openFileErrorOf(error);
    }
  }

  /** A lost connection closes it too, so that this cannot fail for it. */
  async close(): Promise<void> {
    if (this.link.isOver) return;
    try {
      await this.link.call("fs/close", { handleId: this.handleId }, { cleansUp: true });
    } catch (error) {
      if (!this.link.isOver) throw openFileErrorOf(error);
    }
  }

  #each<T>(length: number, doIt: (at: number, size: number) => Promise<T>): () => Promise<T> | null {
    let next = 0;
    return () => {
      if (next >= length) return null;
      const at = next;
      next += MAX_BLOCK_BYTES;
      return doIt(at, Math.min(MAX_BLOCK_BYTES, length - at));
    };
  }

  async #readBlock(offset: number, len: number): Promise<Uint8Array> {
    if (len === 0) return new Uint8Array();
    try {
      const { handleId } = this;
      const answer = await this.link.call("fs/readBlock", { handleId, offset, len });
      const { chunk, eof } = readReadBlockAnswer(answer);
      const bytes = decodeBase64(chunk);
      // Taken for the end, a short block would cut the file off without a word.
      if (bytes.length > len || bytes.length < len && !eof) {
        throw new DecodeError(wrongLength(bytes.length, len));
      }
      return bytes;
    } catch (error) {
      throw openFileErrorOf(error);
    }
  }

  async #writeBlock(offset: number, bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    try {
      const { handleId } = this;
      await this.link.call("fs/writeBlock", { handleId, offset, chunk: encodeBase64(bytes) });
    } catch (error) {
      throw openFileErrorOf(error);
    }
  }
}

function wrongLength(length: number, asked: number): string {
  return `a block of ${length} bytes where ${asked} were asked for`;
}

import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { osErrorCode } from "../../base/os_error.ts";
import { AlignedBuffers, ALIGNMENT, alignUp } from "./aligned_buffers.ts";
import { DiskPace } from "./disk_pace.ts";

/** Half a MiB of output, and what it is. */
const BUFFER_BYTES = 512 * 1024 + 128 * 1024;
/** More at once would not make the disk faster, and each costs its memory as long as the server lives. */
const BUFFERS = 3;
/** The system takes no more than 1,024 in one write. */
const MOST_PIECES = 512;
/** What a file system says that does not know how to go past the cache. */
const REFUSED: ReadonlySet<string | null> = new Set(["EINVAL", "EOPNOTSUPP", "ENOTSUP"]);

/** A file that is open for writing. */
export interface OpenedFile {
  /** Writes the pieces one after the other. The place is aligned, and what follows up to the next such place is not kept. */
  write(pieces: readonly Uint8Array[], begin: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * Writes past the page cache, if it can: nearly nobody reads a spool, and to fill fresh pages costs a processor
 * several times more than to give the disk what it takes away by itself.
 */
export class SpoolWriter {
  readonly #buffers = new AlignedBuffers(BUFFER_BYTES, BUFFERS);
  #isRefused = false;

  constructor(private readonly pace = new DiskPace()) {}

  async open(path: string, isNew: boolean): Promise<OpenedFile> {
    const flags = constants.O_WRONLY | (isNew ? constants.O_CREAT | constants.O_TRUNC : 0);
    if (!this.#isRefused && this.pace.isFast) {
      try {
        return this.#direct(path, await open(path, flags | constants.O_DIRECT, 0o600));
      } catch (error) {
        this.#mustBeRefusal(error);
      }
    }
    return this.#cached(await open(path, flags, 0o600));
  }

  #direct(path: string, handle: FileHandle): OpenedFile {
    let through: OpenedFile | null = null;
    return {
      write: async (pieces, begin) => {
        if (through !== null) return through.write(pieces, begin);
        try {
          await this.#writeDirect(handle, pieces, begin);
        } catch (error) {
          this.#mustBeRefusal(error);
          // It may be opened so, and then not written to.
          through = this.#cached(await open(path, constants.O_WRONLY));
          await through.write(pieces, begin);
        }
      },
      close: async () => {
        await Promise.all([handle.close(), through?.close()]);
      },
    };
  }

  async #writeDirect(handle: FileHandle, pieces: readonly Uint8Array[], begin: number): Promise<void> {
    const buffer = await this.#buffers.take();
    try {
      let [at, filled] = [begin, 0];
      for (const piece of pieces) {
        for (let from = 0; from < piece.length;) {
          const part = piece.subarray(from, from + buffer.length - filled);
          buffer.set(part, filled);
          from += part.length;
          filled += part.length;
          if (filled < buffer.length) continue;
          await this.#writeAligned(handle, buffer, at);
          [at, filled] = [at + filled, 0];
        }
      }
      if (filled > 0) await this.#writeAligned(handle, buffer.subarray(0, alignUp(filled)), at);
    } finally {
      this.#buffers.giveBack(buffer);
    }
  }

  async #writeAligned(handle: FileHandle, bytes: Uint8Array, begin: number): Promise<void> {
    const done = this.pace.begin(bytes.length);
    try {
      for (let written = 0; written < bytes.length;) {
        const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, begin + written);
        // A nearly full disk takes a part; the rest says why.
        if (bytesWritten < ALIGNMENT) throw new Error("The disk takes less than a block");
        written += bytesWritten - bytesWritten % ALIGNMENT;
      }
    } finally {
      done();
    }
  }

  #cached(handle: FileHandle): OpenedFile {
    return {
      write: async (pieces, begin) => {
        await writeAll(handle, pieces, begin);
        this.pace.wroteThroughCache(lengthOf(pieces));
      },
      close: () => handle.close(),
    };
  }

  #mustBeRefusal(error: unknown): void {
    if (!REFUSED.has(osErrorCode(error))) throw error;
    this.#isRefused = true;
  }
}

async function writeAll(handle: FileHandle, pieces: readonly Uint8Array[], begin: number): Promise<void> {
  const bytes = lengthOf(pieces);
  let bytesWritten = 0;
  if (pieces.length <= MOST_PIECES) ({ bytesWritten } = await handle.writev(pieces, begin));
  if (bytesWritten === bytes) return;
  // A nearly full disk takes a part; the rest says why.
  const all = Buffer.concat(pieces);
  while (bytesWritten < bytes) {
    bytesWritten +=
      (await handle.write(all, bytesWritten, bytes - bytesWritten, begin + bytesWritten)).bytesWritten;
  }
}

export function lengthOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

import { type FileHandle, open } from "node:fs/promises";
import { unlink } from "node:fs";
import { type Clock, systemClock, type Timer } from "../../base/clock.ts";

/** A file that is not written to for so long is closed: thousands of processes must not need a descriptor each. */
const IDLE_MS = 200;

/** A file of a spool: written to its end, read anywhere, closed while nobody writes. */
export class SpoolFile {
  #bytes = 0;
  #handle: FileHandle | null = null;
  #isWriting = false;
  #isGone = false;
  #idle: Timer | null = null;

  constructor(readonly path: string, private readonly clock: Clock = systemClock) {}

  get bytes(): number {
    return this.#bytes;
  }

  /** Resolves with where the pieces begin. What a write that failed has left there is written over by the next. */
  async append(pieces: readonly Uint8Array[]): Promise<number> {
    this.#idle?.cancel();
    this.#isWriting = true;
    try {
      this.#handle ??= await open(this.path, this.#bytes === 0 ? "w" : "r+", 0o600);
      const begin = this.#bytes;
      await writeAll(this.#handle, pieces, begin);
      this.#bytes += lengthOf(pieces);
      return begin;
    } finally {
      this.#isWriting = false;
      if (this.#isGone) this.#close();
      else this.#idle = this.clock.after(IDLE_MS, () => this.#close());
    }
  }

  /** Opened for each reader anew: what is removed meanwhile stays readable for it. */
  async read<T>(look: (at: (begin: number, bytes: number) => Promise<Uint8Array>) => Promise<T>): Promise<T> {
    await using handle = await open(this.path, "r");
    return await look(async (begin, bytes) => {
      const buffer = new Uint8Array(bytes);
      for (let got = 0; got < bytes;) {
        const { bytesRead } = await handle.read(buffer, got, bytes - got, begin + got);
        if (bytesRead === 0) throw new Error("The spool is shorter than it was");
        got += bytesRead;
      }
      return buffer;
    });
  }

  /** Nobody needs to read more of it, or to write. */
  finish(): void {
    if (!this.#isWriting) this.#close();
  }

  remove(): void {
    this.#isGone = true;
    this.finish();
    // One that is not there any more needs no removing, and whatever else is wrong goes with the whole directory.
    unlink(this.path, () => {});
  }

  #close(): void {
    this.#idle?.cancel();
    const handle = this.#handle;
    this.#handle = null;
    // Nothing is owed to the disk: what is lost with the power, nobody could have read after.
    handle?.close().catch(() => {});
  }
}

async function writeAll(handle: FileHandle, pieces: readonly Uint8Array[], begin: number): Promise<void> {
  const bytes = lengthOf(pieces);
  let { bytesWritten } = await handle.writev(pieces, begin);
  if (bytesWritten === bytes) return;
  // A nearly full disk takes a part; the rest says why.
  const all = Buffer.concat(pieces);
  while (bytesWritten < bytes) {
    bytesWritten +=
      (await handle.write(all, bytesWritten, bytes - bytesWritten, begin + bytesWritten)).bytesWritten;
  }
}

function lengthOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

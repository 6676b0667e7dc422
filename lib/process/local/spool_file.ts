import { open } from "node:fs/promises";
import { unlink } from "node:fs";
import { type Clock, systemClock, type Timer } from "../../base/clock.ts";
import { alignUp } from "./aligned_buffers.ts";
import { lengthOf, type OpenedFile, type SpoolWriter } from "./spool_writer.ts";

/** A file that is not written to for so long is closed: thousands of processes must not need a descriptor each. */
const IDLE_MS = 200;

/** Reads so many bytes into memory of their own. */
export type ReadAt = (begin: number, bytes: number) => Promise<Uint8Array<ArrayBuffer>>;

/** A file of a spool: written to its end, read anywhere, closed while nobody writes. */
export class SpoolFile {
  #bytes = 0;
  #opened: OpenedFile | null = null;
  #isWriting = false;
  #isGone = false;
  #idle: Timer | null = null;

  constructor(
    readonly path: string,
    private readonly writer: SpoolWriter,
    private readonly clock: Clock = systemClock,
  ) {}

  /** On disk, where everything begins at a place that suits it. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Resolves with where the pieces begin. What a write that failed has left there is written over by the next. */
  async append(pieces: readonly Uint8Array[]): Promise<number> {
    this.#idle?.cancel();
    this.#isWriting = true;
    try {
      this.#opened ??= await this.writer.open(this.path, this.#bytes === 0);
      const begin = this.#bytes;
      await this.#opened.write(pieces, begin);
      this.#bytes += alignUp(lengthOf(pieces));
      return begin;
    } finally {
      this.#isWriting = false;
      if (this.#isGone) this.#close();
      else this.#idle = this.clock.after(IDLE_MS, () => this.#close());
    }
  }

  /** Opened for each reader anew: what is removed meanwhile stays readable for it. */
  async read<T>(look: (at: ReadAt) => Promise<T>): Promise<T> {
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
    const opened = this.#opened;
    this.#opened = null;
    // Nothing is owed to the disk: what is lost with the power, nobody could have read after.
    opened?.close().catch(() => {});
  }
}

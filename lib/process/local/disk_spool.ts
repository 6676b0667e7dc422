import { osErrorCode } from "../../base/os_error.ts";
import type { OutputEvent } from "../process_event.ts";
import type { Spool, SpooledRun } from "../spool.ts";
import { alignUp } from "./aligned_buffers.ts";
import { ENTRY_BYTES, readEntries, writeBlock } from "./spool_block.ts";
import { SpoolFile } from "./spool_file.ts";
import type { SpoolWriter } from "./spool_writer.ts";

/** The system says that there is no room, in one word or the other. */
const FULL: ReadonlySet<string | null> = new Set(["ENOSPC", "EDQUOT"]);

/** What the spools of a server share. */
export interface SharedRoom {
  readonly overdueBytes: number;
  /** The largest that a file should be. */
  readonly fileBytes: number;
  readonly writer: SpoolWriter;
  /** How many spools are just now being written to. */
  writing: number;
  /** Drops what is oldest until so much more fits. False where it does not. */
  make(spool: DiskSpool, bytes: number): Promise<boolean>;
  path(name: string): string;
  taken(bytes: number): void;
  freed(bytes: number): void;
  /** Something goes wrong, and output is lost by it. */
  tell(error: unknown): void;
  left(spool: DiskSpool): void;
}

interface Block {
  readonly file: SpoolFile;
  readonly begin: number;
  readonly entriesBytes: number;
  readonly bytes: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly bytesBefore: number;
}

/** What one process printed and memory does not hold any more: blocks in a few files, of which the oldest goes first. */
export class DiskSpool implements Spool {
  #files: SpoolFile[] = [];
  #blocks: Block[] = [];
  #named = 0;
  #isOver = false;

  constructor(private readonly name: string, private readonly room: SharedRoom) {}

  /** On disk. */
  get bytes(): number {
    return this.#files.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  get overdueBytes(): number {
    return this.room.overdueBytes;
  }

  async write(chunks: readonly OutputEvent[], bytesBefore: number): Promise<void> {
    this.room.writing += 1;
    await this.#write(chunks, bytesBefore);
    this.room.writing -= 1;
  }

  async #write(chunks: readonly OutputEvent[], bytesBefore: number): Promise<void> {
    const pieces = writeBlock(chunks);
    const entriesBytes = chunks.length * ENTRY_BYTES;
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.bytes.length, 0);
    if (this.#isOver || chunks.length === 0) return;
    if (!await this.room.make(this, alignUp(entriesBytes + bytes))) return;
    const written = await this.#append(pieces);
    if (written === null) return;
    const [firstSeq, lastSeq] = [chunks[0]!.seq, chunks.at(-1)!.seq];
    this.#blocks.push({ ...written, entriesBytes, bytes, firstSeq, lastSeq, bytesBefore });
  }

  async read(afterSeq: number, maxBytes: number): Promise<SpooledRun | null> {
    for (let block = this.#blockAfter(afterSeq); block !== null; block = this.#blockAfter(afterSeq)) {
      try {
        return await readRun(block, afterSeq, maxBytes);
      } catch (error) {
        // It was dropped while we looked; or the disk has lost it, and nobody will have it.
        if (!this.#blocks.includes(block)) continue;
        this.room.tell(error);
        this.#blocks.splice(this.#blocks.indexOf(block), 1);
      }
    }
    return null;
  }

  bytesUpTo(seq: number): number {
    const block = this.#blockAfter(seq) ?? this.#blocks.at(-1);
    if (block === undefined) return 0;
    return seq >= block.lastSeq ? block.bytesBefore + block.bytes : block.bytesBefore;
  }

  /** Makes room by what is oldest. False where there is nothing more to drop. Only who writes may drop the newest file. */
  dropOldest(what: "all" | "but the newest"): boolean {
    if (this.#files.length < (what === "all" ? 1 : 2)) return false;
    const file = this.#files.shift()!;
    this.#blocks = this.#blocks.filter((block) => block.file !== file);
    this.room.freed(file.bytes);
    file.remove();
    return true;
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const file of this.#files) {
      this.room.freed(file.bytes);
      file.remove();
    }
    this.#files = [];
    this.#blocks = [];
    this.room.left(this);
  }

  async #append(pieces: readonly Uint8Array[]): Promise<{ file: SpoolFile; begin: number } | null> {
    while (true) {
      const file = this.#newest();
      const before = file.bytes;
      try {
        const begin = await file.append(pieces);
        if (this.#isOver) {
          file.remove();
          return null;
        }
        this.room.taken(file.bytes - before);
        return { file, begin };
      } catch (error) {
        // Of a process's output the newest is worth most.
        if (!this.#isOver && FULL.has(osErrorCode(error)) && this.dropOldest("but the newest")) continue;
        this.room.tell(error);
        return null;
      }
    }
  }

  #newest(): SpoolFile {
    const newest = this.#files.at(-1);
    if (newest !== undefined && newest.bytes < this.room.fileBytes) return newest;
    newest?.finish();
    this.#named += 1;
    const file = new SpoolFile(this.room.path(`${this.name}.${this.#named}`), this.room.writer);
    this.#files.push(file);
    return file;
  }

  /** The first block that has something after this number. */
  #blockAfter(seq: number): Block | null {
    let [low, high] = [0, this.#blocks.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#blocks[middle]!.lastSeq > seq) high = middle;
      else low = middle + 1;
    }
    return this.#blocks[low] ?? null;
  }
}

function readRun(block: Block, afterSeq: number, maxBytes: number): Promise<SpooledRun> {
  const { file, begin, entriesBytes, bytes } = block;
  return file.read(async (at) => {
    // Mostly all of it is wanted, and one look is enough.
    const isWhole = afterSeq < block.firstSeq && bytes <= maxBytes;
    const head = await at(begin, isWhole ? entriesBytes + bytes : entriesBytes);
    const entries = readEntries(head.subarray(0, entriesBytes));
    const first = entries.findIndex(({ seq }) => seq > afterSeq);
    const skipped = sum(entries.slice(0, first));
    let [last, wanted] = [first + 1, entries[first]!.length];
    while (last < entries.length && wanted + entries[last]!.length <= maxBytes) {
      wanted += entries[last]!.length;
      last += 1;
    }
    const memory = isWhole ? head : await at(begin + entriesBytes + skipped, wanted);
    const data = isWhole ? head.subarray(entriesBytes) : memory;
    let offset = 0;
    const chunks = entries.slice(first, last).map(({ seq, length, stream }): OutputEvent => {
      offset += length;
      return { type: "output", seq, stream, bytes: data.subarray(offset - length, offset) };
    });
    return { chunks, bytesBefore: block.bytesBefore + skipped, memory };
  });
}

function sum(entries: readonly { readonly length: number }[]): number {
  return entries.reduce((total, { length }) => total + length, 0);
}

import { createHash } from "node:crypto";
import { closeSync, constants, openSync } from "node:fs";
import type { OpenFile, Soon } from "../../lib/fs/file_system.ts";
import { FsError } from "../../lib/fs/fs_error.ts";
import { writeAll } from "../run/write_all.ts";
import { BLOCK_BYTES, type BlockSink, isZero } from "./blocks.ts";
import { bufferOf, type BytePath, join, nativePath, parentOf, shownPath } from "./byte_path.ts";
import { isLinkFailure } from "./file_failure.ts";
import { asFsError } from "./here_side.ts";
import type { Leftovers } from "./leftovers.ts";
import type { ContinuedFile, Facts, Powers, Side } from "./side.ts";

/** How a file comes to be at its place: under another name until it is whole. */
export interface Arrival extends BlockSink {
  /** Whether what has arrived is still there when the connection to the source, or to here, broke. */
  readonly survivesLoss: boolean;
  /** Tells how much of it is there from before; `whole`: all of it, and only the last step is missing. */
  begin(): Soon<number | "whole">;
  /** It is whole: it takes its place. `source` is what is known of the original. */
  finish(length: number, source: Facts | null): Soon<void>;
  /** It will not become whole. `keep`: the same copy may go on later. */
  abandon(keep: boolean): Soon<void>;
}

export interface ArrivalOptions {
  readonly path: BytePath;
  /** What is there now. */
  readonly existing: Facts | null;
  /** null where nobody knows before the end. */
  readonly size: number | null;
  /** The same for the same content from the same place, so that a later copy can go on; null: it never can. */
  readonly origin: string | null;
  readonly leftovers: Leftovers;
}

export function arrivalAt(side: Side, options: ArrivalOptions): Arrival {
  if (options.existing?.kind === "other") {
    if (side.powers !== null) return streamArrival(() => openStream(options.path));
    throw new FsError("refused", "it is neither a file nor a directory");
  }
  if (side.powers !== null) return new HereArrival(side.powers, options);
  const isSmall = options.size !== null && options.size <= BLOCK_BYTES;
  return isSmall ? new SmallArrival(side, options) : new FarArrival(side, options);
}

/** Into what takes bytes in order and has no place to take. */
export function streamArrival(open: () => number): Arrival {
  let fd: number | null = null;
  let order: Promise<void> = Promise.resolve();
  const close = () => {
    if (fd !== null && fd > 2) closeSync(fd);
    fd = null;
  };
  return {
    survivesLoss: true,
    begin() {
      fd = open();
      return 0;
    },
    write: (_, bytes) => (order = order.then(() => writeAll(fd!, bytes))),
    finish: close,
    abandon: close,
  };
}

function openStream(path: BytePath): number {
  try {
    return openSync(bufferOf(path), constants.O_WRONLY | constants.O_NOCTTY);
  } catch (error) {
    throw asFsError(error);
  }
}

function partName(text: string): string {
  return `.exec-server-${createHash("sha256").update(text).digest("hex").slice(0, 16)}`;
}

/** A file of this machine: written beside its place, then renamed over it. */
class HereArrival implements Arrival {
  readonly survivesLoss = true;
  /** What an earlier run left for us, where the copy can go on at all. */
  readonly #kept: BytePath | null;
  /** Ours alone, and nobody can guess it: two copies to one place do not write into one file. */
  #working: BytePath;
  #file: ContinuedFile | null = null;
  #end = 0;

  constructor(private readonly powers: Powers, private readonly options: ArrivalOptions) {
    const { path, origin } = options;
    const beside = (text: string) => join(parentOf(path), `${partName(text)}.part`);
    this.#kept = origin === null ? null : beside(`${path}\0${origin}`);
    this.#working = beside(crypto.randomUUID());
  }

  begin(): number {
    this.#file = this.#takeOver() ?? this.#create();
    this.options.leftovers.add(this.#working);
    return (this.#end = this.#file.size);
  }

  #takeOver(): ContinuedFile | null {
    const { size } = this.options;
    if (this.#kept === null || size === null) return null;
    return this.powers.takeOver(this.#kept, this.#working, size);
  }

  #create(): ContinuedFile {
    // What was put in the place of what we took over stands under our name: it is left to whose it is.
    this.#working = join(parentOf(this.options.path), `${partName(crypto.randomUUID())}.part`);
    return this.powers.create(this.#working);
  }

  write(offset: number, bytes: Uint8Array): Promise<void> | void {
    this.#end = Math.max(this.#end, offset + bytes.length);
    // A hole stays a hole; it costs no room and no time.
    return bytes.length === BLOCK_BYTES && isZero(bytes) ? undefined : this.#file!.write(offset, bytes);
  }

  finish(length: number, source: Facts | null): void {
    const { path, existing, leftovers } = this.options;
    const file = this.#file!;
    file.extendTo(length);
    file.setMode((source?.mode ?? existing?.mode ?? 0o666 & ~process.umask()) & 0o777);
    if (source?.kind === "file") file.setModified(source.modifiedAtMs);
    this.#close();
    this.powers.rename(this.#working, path);
    leftovers.delete(this.#working);
  }

  abandon(keep: boolean): void {
    const end = this.#end;
    try {
      if (keep && this.#kept !== null && this.#file !== null && end > 0) {
        this.#file.extendTo(end);
        this.powers.rename(this.#working, this.#kept);
        this.options.leftovers.delete(this.#working);
      }
    } finally {
      this.#close();
      this.options.leftovers.remove(this.#working);
    }
  }

  #close(): void {
    this.#file?.close();
    this.#file = null;
  }
}

/** A small file of a server: it arrives in one message, so it arrives whole or not at all. */
class SmallArrival implements Arrival {
  readonly survivesLoss = true;
  readonly #blocks: Uint8Array[] = [];

  constructor(private readonly side: Side, private readonly options: ArrivalOptions) {}

  begin(): number {
    return 0;
  }

  write(_offset: number, bytes: Uint8Array): void {
    this.#blocks.push(bytes);
  }

  async finish(): Promise<void> {
    const { files } = this.side;
    const path = nativePath(this.options.path);
    try {
      await files.writeFile(path, Buffer.concat(this.#blocks));
    } catch (error) {
      if (!isLinkFailure(error) && this.options.existing === null) {
        await files.remove(path, { recursive: false, force: true });
      }
      throw error;
    }
  }

  abandon(): void {
    this.#blocks.length = 0;
  }
}

/**
 * A file of a server. The wire has no rename: it is written beside its place, then the server copies it there and
 * removes what it copied from. Nothing continues what was begun: a broken connection means to begin again.
 */
class FarArrival implements Arrival {
  readonly survivesLoss = false;
  readonly #working: BytePath;
  #file: OpenFile | null = null;
  #state: "arriving" | "whole" | "placed" = "arriving";

  constructor(private readonly side: Side, private readonly options: ArrivalOptions) {
    this.#working = join(parentOf(options.path), `${partName(crypto.randomUUID())}.part`);
  }

  async begin(): Promise<number | "whole"> {
    if (this.#state !== "arriving") return "whole";
    const { files } = this.side;
    const { path, existing } = this.options;
    // The last step gives the copy's mode to the place; so the copy has the place's first.
    if (existing !== null) {
      await files.copy(nativePath(path), nativePath(this.#working), { recursive: false });
    }
    this.#file = await files.open(nativePath(this.#working), "replace");
    return 0;
  }

  write(offset: number, bytes: Uint8Array) {
    return this.#file!.write(offset, bytes);
  }

  async finish(): Promise<void> {
    const { files } = this.side;
    const { path, existing } = this.options;
    await this.#file?.close();
    this.#file = null;
    if (this.#state === "arriving") this.#state = "whole";
    if (this.#state === "whole") await this.#place(path, existing);
    this.#state = "placed";
    await files.remove(nativePath(this.#working), { recursive: false, force: true });
  }

  async #place(path: BytePath, existing: Facts | null): Promise<void> {
    const { files } = this.side;
    try {
      await files.copy(nativePath(this.#working), nativePath(path), { recursive: false });
    } catch (error) {
      if (!(error instanceof FsError) || isLinkFailure(error)) throw error;
      const there = await this.side.look(path);
      const isUntouched = there?.size === existing?.size && there?.modifiedAtMs === existing?.modifiedAtMs;
      if (isUntouched) throw error;
      // Half of it must not stand there. What was there before is lost; the whole is beside it, and stays.
      await files.remove(nativePath(path), { recursive: false, force: true });
      if (existing === null) throw error;
      this.#state = "placed";
      const where = shownPath(this.#working);
      throw new FsError(error.code, `${error.message}; all of it is in ${where}`, error.errno);
    }
  }

  async abandon(): Promise<void> {
    const { files } = this.side;
    await Promise.resolve(this.#file?.close()).catch(() => {}); // it is to go, whatever is left to be said of it
    this.#file = null;
    if (this.#state === "placed") return; // what is there is all that is left
    await files.remove(nativePath(this.#working), { recursive: false, force: true });
  }
}

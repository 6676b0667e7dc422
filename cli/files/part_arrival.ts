import type { OpenFile } from "../../lib/fs/file_system.ts";
import { FsError } from "../../lib/fs/fs_error.ts";
import type { Arrival, ArrivalOptions, Kept } from "./arrival.ts";
import { BLOCK_BYTES, BLOCKS_UNDER_WAY, isHole } from "./blocks.ts";
import { type BytePath, nativePath } from "./byte_path.ts";
import type { KeptBeginning } from "./kept_beginning.ts";
import { isMissing } from "./look.ts";
import { partBeside } from "./part_name.ts";
import type { Facts, Side } from "./side.ts";

/** What a part has while it arrives. */
const PRIVATE = 0o600;

/**
 * A file of a place that can rename: it arrives beside its place, looked into by nobody, and takes its place all at
 * once. The name beside it is the same for the same content, so that a later run goes on with what an earlier one left,
 * however that ended. Two runs at a time write the same bytes to the same places of it; the first to end places it.
 */
export class PartArrival implements Arrival {
  readonly stem: string;
  readonly afterLoss: "stays" | "goesOn";
  #part: BytePath;
  #file: OpenFile | null = null;
  /** Of what is under the name of the part. */
  #identity: Promise<string | null> = Promise.resolve(null);
  #end = 0;
  #state: "arriving" | "whole" | "placed" | "given up" = "arriving";

  readonly kept: KeptBeginning = {
    read: async (offset, length) => await this.#file!.read(offset, length),
    // It may still be another run's: that removes it, or a sweep does.
    disown: async () => {
      await this.#close();
      this.#part = partBeside(this.options.path, null).path;
    },
  };

  constructor(private readonly side: Side, private readonly options: ArrivalOptions) {
    const { path, origin } = options;
    const { path: part, stem } = partBeside(path, origin);
    this.#part = part;
    this.stem = stem;
    this.afterLoss = side.name === null ? "stays" : "goesOn";
  }

  async begin(): Promise<number | "whole"> {
    if (this.#state === "whole" && await this.#isWhole()) return "whole";
    this.#state = "arriving";
    this.#file = await this.#open();
    this.#identity = this.side.look(this.#part).then((facts) => facts?.identity ?? null);
    this.#identity.catch(() => {}); // told to who asks for it
    return (this.#end = surelyThere(this.#file.size ?? 0));
  }

  /** After a loss on the last steps: whether they were done, all but the renaming. */
  async #isWhole(): Promise<boolean> {
    if (await this.#isPlaced()) {
      this.#state = "placed";
      return true;
    }
    const part = await this.side.look(this.#part);
    return part !== null && part.identity === await this.#identity && (part.mode! & 0o777) !== PRIVATE;
  }

  async #open(): Promise<OpenFile> {
    const { path, origin, source } = this.options;
    if (origin !== null) {
      const file = await this.#openPrivate();
      if (file !== null && (file.size ?? 0) <= (source?.size ?? 0)) return file;
      await file?.close();
      // What stands under our name may be another's who could guess it: it is left to whose it is.
      this.#part = partBeside(path, null).path;
    }
    // What has no mode of its own gets that which anything new gets there.
    const isPrivate = origin !== null || this.#mode !== null;
    return await this.side.files.open(
      nativePath(this.#part),
      isPrivate ? "update" : "replace",
      isPrivate ? { private: true } : {},
    );
  }

  /** null: it is not ours for sure. */
  async #openPrivate(): Promise<OpenFile | null> {
    try {
      return await this.side.files.open(nativePath(this.#part), "update", { private: true });
    } catch (error) {
      if (error instanceof FsError && error.code === "refused") return null;
      throw error;
    }
  }

  write(offset: number, bytes: Uint8Array) {
    this.#end = Math.max(this.#end, offset + bytes.length);
    return isHole(bytes) ? undefined : this.#file!.write(offset, bytes);
  }

  async finish(length: number, source: Facts | null): Promise<void> {
    if (this.#state === "placed") return;
    if (this.#file !== null) {
      const file = this.#file;
      this.#state = "whole";
      const mode = this.#mode ?? (this.options.origin === null ? null : 0o666 & ~process.umask());
      const times = source?.kind === "file" ? { modifiedAtMs: source.modifiedAtMs } : {};
      await file.setAttributes({ length, ...(mode === null ? {} : { mode }), ...times });
      await this.#identity;
    }
    await Promise.all([this.#close(), this.#place()]);
    this.#state = "placed";
  }

  get #mode(): number | null {
    const { source, existing } = this.options;
    const mode = source?.mode ?? existing?.mode ?? null;
    return mode === null ? null : mode & 0o777;
  }

  async #place(): Promise<void> {
    try {
      await this.side.files.rename(nativePath(this.#part), nativePath(this.options.path));
    } catch (error) {
      // Another run of the same copy was there before us.
      if (!isMissing(error) || !(await this.#isPlaced() || await this.#isAsTheSource())) throw error;
    }
  }

  /** Whether what was the part stands at its place. */
  async #isPlaced(): Promise<boolean> {
    const [there, identity] = [await this.side.look(this.options.path), await this.#identity];
    if (identity !== null) return there?.identity === identity;
    // It was gone before we could look at it.
    return await this.#isAsTheSource();
  }

  /** Whether what stands at its place has all that is known of the source: who placed it has given it that. */
  async #isAsTheSource(): Promise<boolean> {
    const [there, { source }] = [await this.side.look(this.options.path), this.options];
    return source !== null && there?.size === source.size && there.modifiedAtMs === source.modifiedAtMs;
  }

  async abandon(keep: boolean): Promise<Kept | null> {
    if (this.#state === "placed" || this.#state === "given up") return null;
    this.#state = "given up";
    const bytes = surelyThere(this.#end);
    const closing = this.#close();
    closing.catch(() => {}); // whatever is left to be said of it
    // Nobody is asked where it stays: the line may carry nothing any more.
    if (keep && bytes > 0 && this.#isFindable()) return { path: this.#part, bytes };
    await this.side.files.remove(nativePath(this.#part), { recursive: false, force: true });
    return null;
  }

  /** Whether a later run looks for it under this name. */
  #isFindable(): boolean {
    const { path, origin } = this.options;
    return origin !== null && this.#part === partBeside(path, origin).path;
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.close();
  }
}

/** Blocks are written side by side, and what ended us may have left one out that stands before a later one. */
function surelyThere(size: number): number {
  return Math.max(0, Math.ceil(size / BLOCK_BYTES) - BLOCKS_UNDER_WAY) * BLOCK_BYTES;
}

import type { OpenFile } from "../../lib/fs/file_system.ts";
import { FsError } from "../../lib/fs/fs_error.ts";
import type { Arrival, ArrivalOptions } from "./arrival.ts";
import { isHole } from "./blocks.ts";
import { type BytePath, nativePath, shownPath } from "./byte_path.ts";
import { isLinkFailure } from "./file_failure.ts";
import { ownPartBeside } from "./part_name.ts";
import type { Facts, Side } from "./side.ts";

/**
 * A file of a plain Codex server. Its wire has no rename: the file is written beside its place, then the server copies
 * it there and removes what it copied from. Nothing continues what was begun. Its name is nobody else's: opening is
 * emptying there, and follows links.
 */
export class CodexArrival implements Arrival {
  readonly stem = null;
  readonly kept = null;
  readonly afterLoss = "startsAgain";
  readonly #working: BytePath;
  #file: OpenFile | null = null;
  /** Beyond it nothing was written. */
  #end = 0;
  #state: "arriving" | "whole" | "placed" = "arriving";

  constructor(private readonly side: Side, private readonly options: ArrivalOptions) {
    this.#working = ownPartBeside(options.path);
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
    return (this.#end = 0);
  }

  write(offset: number, bytes: Uint8Array) {
    if (isHole(bytes)) return; // what was left out before a block is zeros
    this.#end = Math.max(this.#end, offset + bytes.length);
    return this.#file!.write(offset, bytes);
  }

  async finish(length: number): Promise<void> {
    const { files } = this.side;
    const { path, existing } = this.options;
    if (this.#state === "arriving") {
      if (this.#end < length) await this.#file!.write(length - 1, new Uint8Array(1));
      await this.#file!.close();
      this.#file = null;
      this.#state = "whole";
    }
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

  async abandon(): Promise<null> {
    const { files } = this.side;
    await Promise.resolve(this.#file?.close()).catch(() => {}); // it is to go, whatever is left to be said of it
    this.#file = null;
    if (this.#state !== "placed") { // else what is there is all that is left
      await files.remove(nativePath(this.#working), { recursive: false, force: true });
    }
    return null;
  }
}

import { unlinkSync } from "node:fs";
import { osErrorCode } from "../../lib/base/os_error.ts";
import { bufferOf, type BytePath } from "./byte_path.ts";
import { asFsError } from "./here_side.ts";

/** Files of this machine that are not whole: they go with us, however we go. */
export class Leftovers {
  readonly #paths = new Set<BytePath>();

  add(path: BytePath): void {
    this.#paths.add(path);
  }

  delete(path: BytePath): void {
    this.#paths.delete(path);
  }

  /** Only what was added. */
  remove(path: BytePath): void {
    if (!this.#paths.delete(path)) return;
    try {
      unlinkSync(bufferOf(path));
    } catch (error) {
      if (osErrorCode(error) !== "ENOENT") throw asFsError(error);
    }
  }

  /** For the moment when a signal ends us: nothing is thrown, for nobody is left to hear it. */
  removeAll(): void {
    for (const path of [...this.#paths]) {
      try {
        this.remove(path);
      } catch {
        // It stays; its name says whose it is.
      }
    }
  }
}

import type { Arrival, ArrivalOptions } from "./arrival.ts";
import { nativePath } from "./byte_path.ts";
import { isLinkFailure } from "./file_failure.ts";
import type { Side } from "./side.ts";

/** A small file of a plain Codex server: it arrives in one message, so it arrives whole or not at all. */
export class SmallArrival implements Arrival {
  readonly stem = null;
  readonly kept = null;
  readonly afterLoss = "stays";
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

  abandon(): null {
    this.#blocks.length = 0;
    return null;
  }
}

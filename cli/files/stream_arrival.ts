import { closeSync, constants, openSync } from "node:fs";
import { writeAll } from "../run/write_all.ts";
import type { Arrival } from "./arrival.ts";
import { bufferOf, type BytePath } from "./byte_path.ts";
import { asFsError } from "./here_side.ts";

/** Into what takes bytes in order and has no place to take: our stdout, a pipe, a device. */
export class StreamArrival implements Arrival {
  readonly stem = null;
  readonly kept = null;
  readonly afterLoss = "stays";
  #fd: number | null = null;
  #order: Promise<void> = Promise.resolve();

  constructor(private readonly open: () => number) {}

  begin(): number {
    this.#fd = this.open();
    return 0;
  }

  write(_offset: number, bytes: Uint8Array): Promise<void> {
    return (this.#order = this.#order.then(() => writeAll(this.#fd!, bytes)));
  }

  finish(): void {
    if (this.#fd !== null && this.#fd > 2) closeSync(this.#fd);
    this.#fd = null;
  }

  abandon(): null {
    this.finish();
    return null;
  }
}

export function openToWrite(path: BytePath): number {
  try {
    return openSync(bufferOf(path), constants.O_WRONLY | constants.O_NOCTTY);
  } catch (error) {
    throw asFsError(error);
  }
}

import type { Arrival, Kept } from "./arrival.ts";
import type { BytePath } from "./byte_path.ts";
import { writing } from "./file_failure.ts";
import type { Facts, Side } from "./side.ts";

/** Whatever fails of it says where that was: who hears of it knows the source only. */
export class NamedArrival implements Arrival {
  constructor(
    private readonly arrival: Arrival,
    private readonly to: Side,
    private readonly path: BytePath,
  ) {}

  get stem() {
    return this.arrival.stem;
  }

  get kept() {
    return this.arrival.kept;
  }

  get afterLoss() {
    return this.arrival.afterLoss;
  }

  begin(): Promise<number | "whole"> {
    return writing(this.to, this.path, () => this.arrival.begin());
  }

  write(offset: number, bytes: Uint8Array): Promise<void> {
    return writing(this.to, this.path, () => this.arrival.write(offset, bytes));
  }

  finish(length: number, source: Facts | null): Promise<void> {
    return writing(this.to, this.path, () => this.arrival.finish(length, source));
  }

  abandon(keep: boolean): Promise<Kept | null> {
    return writing(this.to, this.path, () => this.arrival.abandon(keep));
  }
}

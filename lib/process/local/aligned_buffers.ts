import { ptr } from "bun:ffi";

/** Where a disk wants memory, places and lengths to begin and to end; no disk in use has larger blocks. */
export const ALIGNMENT = 4096;

/** The next place that is aligned. */
export function alignUp(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

/** A few buffers that a disk can read from without the kernel's help; who finds none waits. */
export class AlignedBuffers {
  readonly #free: Uint8Array[] = [];
  readonly #waiting: ((buffer: Uint8Array) => void)[] = [];
  #made = 0;

  constructor(private readonly bytes: number, private readonly most: number) {}

  /** Resolves when it is this one's turn; the longest waiting first. */
  take(): Uint8Array | Promise<Uint8Array> {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#made === this.most) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#made += 1;
    return alignedBuffer(this.bytes);
  }

  giveBack(buffer: Uint8Array): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(buffer);
    else next(buffer);
  }
}

function alignedBuffer(bytes: number): Uint8Array {
  const room = new Uint8Array(bytes + ALIGNMENT);
  const beyond = ptr(room) % ALIGNMENT;
  const begin = beyond === 0 ? 0 : ALIGNMENT - beyond;
  return room.subarray(begin, begin + bytes);
}

/** Machine code in the making: bytes one after the other, and jumps to names that may come later. */
export class MachineCode {
  readonly #bytes: number[] = [];
  readonly #places = new Map<string, number>();
  readonly #jumps: { at: number; to: string; encode: (offset: number) => number[] }[] = [];

  place(name: string): void {
    this.#places.set(name, this.#bytes.length);
  }

  add(...bytes: readonly number[]): void {
    this.#bytes.push(...bytes);
  }

  /** An instruction whose bytes depend on how far it is, from its own start, to a name. */
  jump(to: string, encode: (offset: number) => number[]): void {
    this.#jumps.push({ at: this.#bytes.length, to, encode });
    this.#bytes.push(...encode(0));
  }

  build(): Uint8Array {
    for (const { at, to, encode } of this.#jumps) {
      const place = this.#places.get(to);
      if (place === undefined) throw new Error(`Cannot jump to ${to}: it has no place`);
      const bytes = encode(place - at);
      this.#bytes.splice(at, bytes.length, ...bytes);
    }
    return Uint8Array.from(this.#bytes);
  }
}

/** A number as the bytes both our architectures keep it in, the lowest first. */
export function littleEndian(value: number, size: number): number[] {
  return Array.from({ length: size }, (_, i) => Math.floor(value / 2 ** (8 * i)) & 0xff);
}

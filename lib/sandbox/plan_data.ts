import type { BytePath } from "./byte_path.ts";
import { DATA_OFFSET, PLAN_ADDRESS, PLAN_LIMIT } from "./plan_layout.ts";
import { UnenforceableError } from "./unenforceable.ts";

/** Where a piece of the plan's data will be when it runs. Final at once, so it may be put into other data. */
export type Address = number & { readonly address: unique symbol };

/** What a plan's records point to, in one growing buffer that begins with the plan's head. */
export class PlanData {
  #buffer = Buffer.alloc(16 * 1024);
  #end = DATA_OFFSET;

  /** All of it so far, with room for the head before it. */
  get content(): Uint8Array {
    return this.#buffer.subarray(0, this.#end);
  }

  bytes(data: Uint8Array): Address {
    const at = this.#take(data.length, 8);
    this.#buffer.set(data, at);
    return addressOf(at);
  }

  text(bytes: BytePath): Address {
    // Either would name another file than the one that was meant.
    if (bytes.includes("\0") || /[\u0100-\uffff]/.test(bytes)) {
      throw new UnenforceableError("a text that is not made of bytes other than zero");
    }
    const at = this.#take(bytes.length + 1, 1);
    this.#buffer.write(bytes, at, "latin1");
    return addressOf(at);
  }

  room(size: number): Address {
    return addressOf(this.#take(size, 8));
  }

  words(values: readonly (number | bigint | Address)[]): Address {
    const at = this.#take(values.length * 8, 8);
    for (let i = 0; i < values.length; i++) {
      const value = values[i] ?? 0;
      this.#buffer.writeUInt32LE(low(value), at + i * 8);
      this.#buffer.writeUInt32LE(high(value), at + i * 8 + 4);
    }
    return addressOf(at);
  }

  #take(size: number, align: number): number {
    const at = Math.ceil(this.#end / align) * align;
    const end = at + size;
    if (end > PLAN_LIMIT) throw new UnenforceableError("plan > 16 MiB");
    if (end > this.#buffer.length) {
      const more = Buffer.alloc(Math.max(end, this.#buffer.length * 2));
      more.set(this.#buffer);
      this.#buffer = more;
    }
    this.#end = end;
    return at;
  }
}

/** The address at which the plan's byte of that number will be. */
export function addressOf(offset: number): Address {
  return PLAN_ADDRESS + offset as Address;
}

/** The halves of a word of 64 bits. `>>> 0` takes a value modulo 2^32, also a negative one. */
export function low(value: number | bigint): number {
  return typeof value === "bigint" ? Number(BigInt.asUintN(32, value)) : value >>> 0;
}

export function high(value: number | bigint): number {
  return typeof value === "bigint"
    ? Number(BigInt.asUintN(32, value >> 32n))
    : Math.floor(value / 0x1_0000_0000) >>> 0;
}

import { describe, expect, test } from "bun:test";
import { withBlock } from "../../lib/server/block_rooms.ts";
import { DecodeError } from "../../lib/wire/decode_error.ts";

const MIB = 1024 * 1024;
const ROOMS = 8;

const block = (fill: number, length = MIB) => Buffer.alloc(length, fill).toString("base64");

/** Begins a write that goes on until it is ended, and says what it was given. */
function begin(chunk: string) {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let bytes: Uint8Array = new Uint8Array();
  const written = withBlock(chunk, (given) => {
    bytes = given;
    return promise;
  });
  return { bytes, end: () => (resolve(), written), fail: (error: Error) => (reject(error), written) };
}

/** How many of the blocks that are written after each other are in memory that one of these was in. */
function inMemoryOf(rooms: ReadonlySet<ArrayBufferLike>): number {
  const writes = Array.from({ length: ROOMS + 1 }, () => begin(block(0)));
  for (const { end } of writes) void end();
  return writes.filter(({ bytes }) => rooms.has(bytes.buffer)).length;
}

describe("the memory that blocks are decoded into", () => {
  test("is another for each block that is being written, and is used again when that is done", async () => {
    const writes = Array.from({ length: 20 }, (_, index) => begin(block(index)));
    for (const [index, { bytes }] of writes.entries()) {
      expect([bytes.length, bytes.every((byte) => byte === index)]).toEqual([MIB, true]);
    }
    const rooms = new Set(writes.map(({ bytes }) => bytes.buffer));
    expect(rooms.size).toBe(20);
    await Promise.all(writes.map(({ end }) => end()));
    expect(inMemoryOf(rooms)).toBe(ROOMS);
  });

  test("is given back however a write ends, and when nothing was written", async () => {
    const rooms = new Set<ArrayBufferLike>();
    for (let i = 0; i < 2 * ROOMS; i++) {
      const { bytes, fail } = begin(block(1));
      rooms.add(bytes.buffer);
      await expect(Promise.resolve(fail(new Error("No space")))).rejects.toThrow("No space");
      const refuse = () => {
        throw new Error("no such handle");
      };
      expect(() => withBlock(block(2), refuse)).toThrow("no such handle");
      expect(() => withBlock(`${block(3)}*`, refuse)).toThrow(DecodeError);
      expect(() => withBlock(`${block(3).slice(0, -4)}\n\n\n\n`, refuse)).toThrow(DecodeError);
      withBlock(block(4), (given) => void rooms.add(given.buffer));
    }
    expect(rooms.size).toBeLessThanOrEqual(ROOMS);
    expect(inMemoryOf(rooms)).toBeGreaterThan(0);
  });

  test("holds all lengths up to a block, and what is longer is decoded all the same", () => {
    for (const length of [0, 1, 65_536, 131_071, MIB - 2, MIB - 1, MIB, MIB + 1, MIB + 2, MIB + 3, 2 * MIB]) {
      let given = -1;
      withBlock(block(7, length), (bytes) => {
        given = bytes.every((byte) => byte === 7) ? bytes.length : -2;
      });
      expect(given).toBe(length);
    }
  });
});

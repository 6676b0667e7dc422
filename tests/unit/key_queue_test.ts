import { describe, expect, test } from "bun:test";
import { KeyQueue } from "../../cli/run/key_queue.ts";

describe("keys that nobody takes yet", () => {
  test("wait in order, up to 64 KiB, and what is more is lost", async () => {
    const taken: string[] = [];
    const gate = Promise.withResolvers<boolean>();
    const queue = new KeyQueue((bytes) => {
      taken.push(new TextDecoder().decode(bytes));
      return gate.promise;
    });
    const first = "a".repeat(40_000);
    const second = "b".repeat(30_000);
    expect(queue.put(Buffer.from(first))).toBe(true);
    expect(queue.isFull).toBe(false);
    expect(queue.put(Buffer.from(second))).toBe(true);
    expect(queue.isFull).toBe(true);
    expect(queue.put(Buffer.from("lost"))).toBe(false);
    const moved = queue.moved;
    gate.resolve(true);
    await moved;
    expect(queue.isFull).toBe(false);
    expect(queue.put(Buffer.from("c"))).toBe(true);
    expect(await queue.drained()).toBe(true);
    expect(taken).toEqual([first, second, "c"]);
  });

  test("go together, but not too many at once", async () => {
    const taken: number[] = [];
    const queue = new KeyQueue((bytes) => {
      taken.push(bytes.length);
      return Promise.resolve(true);
    });
    for (let i = 0; i < 5; i++) queue.put(new Uint8Array(6_000));
    expect(await queue.drained()).toBe(true);
    expect(taken).toEqual([6_000, 12_000, 12_000]);
  });

  test("are dropped, and never too many, once nobody ever will", async () => {
    let sends = 0;
    const queue = new KeyQueue(() => {
      sends += 1;
      return Promise.resolve(false);
    });
    queue.put(Buffer.from("a"));
    expect(await queue.drained()).toBe(false);
    for (let i = 0; i < 3; i++) expect(queue.put(new Uint8Array(65_536))).toBe(true);
    expect(queue.isFull).toBe(false);
    expect(sends).toBe(1);
  });
});

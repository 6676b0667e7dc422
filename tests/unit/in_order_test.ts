import { describe, expect, test } from "bun:test";
import { inOrder } from "../../lib/base/in_order.ts";

/** Things that end when they are told to. */
function things(count: number) {
  const begun: PromiseWithResolvers<number>[] = [];
  const begin = () => {
    if (begun.length === count) return null;
    const thing = Promise.withResolvers<number>();
    begun.push(thing);
    return thing.promise;
  };
  return { begun, begin };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("several things in order", () => {
  test("no more than so many are going, and results come in the order in which they were begun", async () => {
    const { begun, begin } = things(4);
    const results: number[] = [];
    const all = (async () => {
      for await (const result of inOrder(2, begin)) results.push(result);
    })();
    await turn();
    expect(begun).toHaveLength(2);
    begun[1]!.resolve(1);
    await turn();
    expect([results, begun.length]).toEqual([[], 2]);
    begun[0]!.resolve(0);
    await turn();
    expect([results, begun.length]).toEqual([[0, 1], 4]);
    begun[3]!.resolve(3);
    begun[2]!.resolve(2);
    await all;
    expect(results).toEqual([0, 1, 2, 3]);
  });

  test("a failure is told in its turn, and only when all that was begun has ended", async () => {
    const { begun, begin } = things(9);
    let end: unknown = null;
    const all = (async () => {
      for await (const _ of inOrder(3, begin));
    })().catch((error: Error) => (end = error.message));
    begun[1]!.reject(new Error("second"));
    await turn();
    expect(end).toBeNull();
    begun[0]!.resolve(0);
    await turn();
    expect([end, begun.length]).toEqual([null, 4]);
    begun[2]!.resolve(2);
    begun[3]!.reject(new Error("fourth"));
    await all;
    expect(end).toBe("second");
  });

  test("whoever stops early waits for what was begun", async () => {
    const { begun, begin } = things(9);
    let hasStopped = false;
    const all = (async () => {
      for await (const _ of inOrder(2, begin)) break;
      hasStopped = true;
    })();
    begun[0]!.resolve(0);
    await turn();
    expect([hasStopped, begun.length]).toEqual([false, 2]);
    begun[1]!.resolve(1);
    await all;
    expect(begun).toHaveLength(2);
  });
});

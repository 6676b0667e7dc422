import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { REMEMBERED_WRITES, StdinLedger } from "../../lib/process/stdin_ledger.ts";

const remembered = (ledger: StdinLedger, ids: string[]) => ids.filter((id) => ledger.has(id));

describe("StdinLedger", () => {
  test("remembers the last 4,096 ids, the oldest forgotten first", () => {
    const ledger = new StdinLedger();
    const ids = Array.from({ length: REMEMBERED_WRITES + 1 }, (_, index) => `k${index}`);
    for (const id of ids) ledger.accept(id);
    expect([ledger.has("k0"), remembered(ledger, ids).length]).toEqual([false, REMEMBERED_WRITES]);
  });

  test("an id that is named again keeps its age", () => {
    const ledger = new StdinLedger();
    ledger.accept("first");
    for (let n = 1; n < REMEMBERED_WRITES; n++) ledger.accept(`k${n}`);
    ledger.accept("first");
    expect(ledger.has("first")).toBe(true);
    ledger.accept("one more");
    expect([ledger.has("first"), ledger.has("k1")]).toEqual([false, true]);
  });

  test("any text is an id of its own", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ size: "large" }), { minLength: 2, maxLength: 20 }), (ids) => {
        const ledger = new StdinLedger();
        const [last, ...others] = ids;
        for (const id of others) ledger.accept(id);
        expect([remembered(ledger, others), ledger.has(last!)]).toEqual([others, false]);
      }),
    );
  });

  test("remembers ids of megabytes without keeping megabytes", () => {
    const ledger = new StdinLedger();
    const long = (n: number) => `${n}`.padEnd(1024 * 1024, "x");
    Bun.gc(true);
    const before = process.memoryUsage().rss;
    for (let n = 0; n < 300; n++) {
      ledger.accept(long(n));
      if (n % 50 === 0) Bun.gc(true);
    }
    Bun.gc(true);
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 * 1024);
    expect([ledger.has(long(0)), ledger.has(long(299)), ledger.has(long(300))]).toEqual([true, true, false]);
  });
});

import { describe, expect, test } from "bun:test";
import { LimitWatch } from "../../lib/process/local/limit_watch.ts";
import { ProcessTree } from "../../lib/process/local/tree/process_tree.ts";
import { quickTrees } from "../../lib/process/local/tree/tree_support.ts";
import type { Limits } from "../../lib/process/limits.ts";
import { ManualClock } from "../support/manual_clock.ts";

function watching(limits: Limits) {
  const clock = new ManualClock();
  const met: string[] = [];
  const watch = new LimitWatch(
    limits,
    clock,
    new ProcessTree({ limits }, quickTrees),
    (name) => met.push(name),
  );
  watch.begin();
  return { clock, met, watch };
}

describe("a watch over limits", () => {
  test("tells of the wall time once", async () => {
    const { clock, met } = watching({ wallMs: 1_000, idleMs: 5_000 });
    await clock.advance(999);
    expect(met).toEqual([]);
    await clock.advance(10_000);
    expect(met).toEqual(["wallMs"]);
  });

  test("counts the silence anew after every word", async () => {
    const { clock, met, watch } = watching({ idleMs: 1_000 });
    await clock.advance(999);
    watch.printed(1, null);
    await clock.advance(999);
    expect(met).toEqual([]);
    await clock.advance(1);
    expect(met).toEqual(["idleMs"]);
  });

  test("does not take for silence that nobody listens", async () => {
    const { clock, met, watch } = watching({ idleMs: 1_000 });
    const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    watch.printed(1, first.promise);
    watch.printed(1, second.promise);
    await clock.advance(60_000);
    first.resolve();
    await clock.advance(60_000);
    expect(met).toEqual([]);
    second.resolve();
    await clock.advance(0);
    await clock.advance(999);
    expect(met).toEqual([]);
    await clock.advance(1);
    expect(met).toEqual(["idleMs"]);
  });

  test("lets through as much as is allowed, and not a byte more", () => {
    const { met, watch } = watching({ outputBytes: 10 });
    watch.printed(4, null);
    watch.printed(6, null);
    expect(met).toEqual([]);
    watch.printed(1, null);
    expect(met).toEqual(["outputBytes"]);
  });

  test("is quiet after the end, and leaves no timer", async () => {
    const { clock, met, watch } = watching({ wallMs: 1_000, idleMs: 1_000, cpuMs: 1_000 });
    watch.end();
    watch.printed(1, null);
    await clock.advance(10_000);
    expect([met, clock.pending]).toEqual([[], 0]);
  });
});

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  EventLog,
  type Follower,
  type LogPage,
  RETAINED_BYTES,
  RETAINED_CHUNKS,
} from "../../lib/process/event_log.ts";
import type { ProcessEvent } from "../../lib/process/process_event.ts";
import { LogModel } from "../support/log_model.ts";

const KILO = 1024;
const bytes = (size: number) => new Uint8Array(size);

/** A page of a log without a spool, which is never a promise. */
function page(log: EventLog, afterSeq: number, maxBytes: number | null = null): LogPage {
  const found = log.page(afterSeq, maxBytes);
  if (found instanceof Promise) throw new Error("It was not in memory");
  return found;
}

type Step =
  | { do: "append"; size: number }
  | { do: "follow"; back: number }
  | { do: "take"; who: number; count: number }
  | { do: "skip"; who: number; to: number }
  | { do: "leave"; who: number }
  | { do: "page"; back: number; maxBytes: number | null };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("append" as const),
      size: fc.constantFrom(0, 1, 100, 64 * KILO, 200 * KILO, 600 * KILO, RETAINED_BYTES, RETAINED_BYTES + 1),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("follow" as const), back: fc.nat(12) }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("take" as const), who: fc.nat(3), count: fc.nat(6) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("skip" as const), who: fc.nat(3), to: fc.nat(40) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("leave" as const), who: fc.nat(3) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("page" as const),
      back: fc.nat(40),
      maxBytes: fc.option(fc.constantFrom(0, 1, 100, 64 * KILO, 300 * KILO, 2 * RETAINED_BYTES)),
    }),
  },
);

describe("EventLog", () => {
  test("keeps, gives and holds exactly what the simplest model of it does", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const log = new EventLog();
        const model = new LogModel();
        const readers: { real: Follower; model: { cursor: number } }[] = [];
        for (const one of steps) {
          switch (one.do) {
            case "append": {
              const chunk = bytes(one.size);
              log.appendOutput("stdout", chunk);
              model.append(chunk);
              break;
            }
            case "follow": {
              if (readers.length === 4) break;
              const after = Math.max(0, log.nextSeq - 1 - one.back);
              readers.push({ real: log.follow(after, () => {}), model: model.follow(after) });
              break;
            }
            case "take": {
              const reader = readers[one.who];
              for (let n = 0; reader !== undefined && n < one.count; n++) {
                expect(reader.real.take()?.seq ?? null).toBe(model.take(reader.model));
              }
              break;
            }
            case "skip": {
              const reader = readers[one.who];
              if (reader === undefined) break;
              reader.real.skipTo(one.to);
              model.skip(reader.model, one.to);
              break;
            }
            case "leave": {
              const [reader] = readers.splice(one.who, 1);
              reader?.real.leave();
              if (reader !== undefined) model.leave(reader.model);
              break;
            }
            case "page": {
              const after = Math.max(0, log.nextSeq - 1 - one.back);
              const { chunks, nextSeq } = page(log, after, one.maxBytes);
              expect({ seqs: chunks.map(({ seq }) => seq), nextSeq }).toEqual(
                model.page(after, one.maxBytes),
              );
            }
          }
          expect(log.isHeld).toBe(model.isHeld);
          const kept = page(log, 0).chunks;
          expect(kept).toHaveLength(model.keptChunks.length);
          for (const [index, { bytes }] of kept.entries()) expect(bytes).toBe(model.keptChunks[index]!);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("keeps a MiB to the byte, and drops whole chunks, the oldest first, above it", () => {
    const log = new EventLog();
    for (let n = 0; n < 16; n++) log.appendOutput("stdout", bytes(64 * KILO));
    expect(page(log, 0).chunks.map(({ seq }) => seq)[0]).toBe(1);
    log.appendOutput("stdout", bytes(0));
    expect(page(log, 0).chunks).toHaveLength(17);
    log.appendOutput("stdout", bytes(1));
    expect(page(log, 0).chunks.map(({ seq }) => seq)[0]).toBe(2);
  });

  test("keeps 50,000 chunks, and not one more", () => {
    const log = new EventLog();
    for (let n = 0; n < RETAINED_CHUNKS; n++) log.appendOutput("stdout", bytes(1));
    expect(page(log, 0).chunks).toHaveLength(RETAINED_CHUNKS);
    for (let n = 0; n < 8_497; n++) log.appendOutput("stdout", bytes(1));
    const { chunks } = page(log, 0);
    expect([chunks.length, chunks[0]!.seq]).toEqual([RETAINED_CHUNKS, 8_498]);
  });

  test("a page ends once it has as many bytes as were asked for, even before an empty chunk", () => {
    const log = new EventLog();
    for (const size of [0, 100, 0, 1]) log.appendOutput("stdout", bytes(size));
    const seqs = (maxBytes: number) => page(log, 0, maxBytes).chunks.map(({ seq }) => seq);
    expect([seqs(0), seqs(100), seqs(101)]).toEqual([[1], [1, 2], [1, 2, 3, 4]]);
  });

  test("a single chunk above the limit is not kept, and its number is not given again", () => {
    const log = new EventLog();
    log.appendOutput("stdout", bytes(RETAINED_BYTES + 1));
    log.appendOutput("stdout", bytes(1));
    expect(page(log, 0)).toMatchObject({ chunks: [{ seq: 2 }], nextSeq: 3 });
  });

  test("an end that was told is known after its place in the story is dropped", () => {
    const log = new EventLog();
    log.appendExited(7, true);
    for (let n = 0; n < 40; n++) log.appendOutput("stderr", bytes(64 * KILO));
    log.appendClosed();
    const told = page(log, 0);
    expect(told.exited).toEqual({ type: "exited", seq: 1, exitCode: 7, sandboxDenied: true });
    expect([told.closed, told.nextSeq, told.chunks[0]!.seq]).toEqual([true, 43, 26]);
  });

  test("lets go of the memory of what it dropped", async () => {
    const log = new EventLog();
    const chunks: WeakRef<Uint8Array>[] = [];
    for (let n = 0; n < 400; n++) {
      const chunk = bytes(64 * KILO);
      chunks.push(new WeakRef(chunk));
      log.appendOutput("stdout", chunk);
    }
    // A weak reference is kept alive for the turn that made it.
    await new Promise((resolve) => setImmediate(resolve));
    Bun.gc(true);
    const alive = chunks.filter((chunk) => chunk.deref() !== undefined).length;
    expect(page(log, 0).chunks).toHaveLength(16);
    expect(alive).toBeLessThan(40); // sixteen, and what the collector is not sure of
  });

  test("a live reader loses nothing, however far it is behind", () => {
    const log = new EventLog();
    const reader = log.follow(0, () => {});
    for (let n = 0; n < 100; n++) log.appendOutput("stdout", bytes(64 * KILO));
    const seqs: number[] = [];
    for (let event = reader.take(); event !== null; event = reader.take()) seqs.push(event.seq);
    expect(seqs).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
    expect(page(log, 0).chunks).toHaveLength(16);
  });

  test("a reader that comes late is told what is gone, and begins with the oldest that is kept", () => {
    const log = new EventLog();
    for (let n = 0; n < 20; n++) log.appendOutput("stdout", bytes(64 * KILO));
    const [first, later] = [log.follow(0, () => {}), log.follow(2, () => {})];
    const gap = { type: "gap" as const, seq: 4, toSeq: 4 };
    expect(first.take()).toEqual({ ...gap, fromSeq: 1, bytes: 4 * 64 * KILO });
    expect(later.take()).toEqual({ ...gap, fromSeq: 3, bytes: null }); // how much it had, nobody knows
    expect([first.take()?.seq, later.take()?.seq]).toEqual([5, 5]);
    expect(page(log, 2).gaps).toEqual([{ ...gap, fromSeq: 3, bytes: null }]);
  });

  test("a gap that was told takes its place, and its numbers are not given again", () => {
    const log = new EventLog();
    const reader = log.follow(0, () => {});
    log.appendOutput("stdout", bytes(1));
    log.appendGap(7, 500);
    log.appendOutput("stdout", bytes(2));
    const gap = { type: "gap" as const, seq: 7, fromSeq: 2, toSeq: 7, bytes: 500 };
    expect([reader.take(), reader.take(), reader.take()]).toMatchObject([{ seq: 1 }, gap, { seq: 8 }]);
    expect([log.nextSeq, log.writtenBytes]).toEqual([9, 503]);
    for (const after of [0, 1, 4, 6, 7, 8]) {
      const { chunks, gaps } = page(log, after);
      expect(chunks.map(({ seq }) => seq)).toEqual([1, 8].filter((seq) => seq > after));
      expect(gaps.map(({ toSeq }) => toSeq)).toEqual(after < 7 ? [7] : []);
    }
  });

  test("the writer waits for the slowest live reader and goes on when that one leaves", async () => {
    const log = new EventLog();
    const slow = log.follow(0, () => {});
    const quick: Follower = log.follow(0, () => void quick.take());
    for (let n = 0; n < 5; n++) log.appendOutput("stdout", bytes(64 * KILO));
    expect(log.isHeld).toBe(true);
    let isWaiting = true;
    const room = log.whenRoom().then(() => (isWaiting = false));
    await Promise.resolve();
    expect(isWaiting).toBe(true);
    slow.leave();
    await room;
    expect(log.isHeld).toBe(false);
  });

  test("many tiny chunks hold the writer too, for they cost more than they carry", () => {
    const log = new EventLog();
    log.follow(0, () => {});
    let count = 0;
    while (!log.isHeld) {
      log.appendOutput("stdout", bytes(1));
      count += 1;
    }
    expect(count).toBe(4_096);
  });

  test("wakes readers for every event, and watchers after them, until they leave", () => {
    const log = new EventLog();
    const told: string[] = [];
    const unwatch = log.watch(() => told.push("watcher"));
    const reader = log.follow(0, () => told.push("reader"));
    log.appendOutput("stdout", bytes(1));
    expect(told).toEqual(["reader", "watcher"]);
    unwatch();
    reader.leave();
    log.appendExited(0, false);
    expect(told).toHaveLength(2);
  });

  test("tells a reader of its failure only after everything before it", () => {
    const log = new EventLog();
    const reader = log.follow(0, () => {});
    log.appendOutput("stdout", bytes(1));
    log.fail("the link is gone");
    log.fail("another reason");
    expect(reader.failure()).toBeNull();
    expect((reader.take() as ProcessEvent).seq).toBe(1);
    expect(reader.failure()).toEqual({ type: "failed", message: "the link is gone" });
    expect(page(log, 0).failure).toBe("the link is gone");
  });

  test("a failure after the end changes nothing", () => {
    const log = new EventLog();
    log.appendExited(0, false);
    log.appendClosed();
    log.fail("too late");
    expect(log.failed).toBeNull();
  });
});

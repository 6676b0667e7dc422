import { describe, expect, test } from "bun:test";
import { rm } from "node:fs/promises";
import fc from "fast-check";
import { EventLog, RETAINED_BYTES } from "../../lib/process/event_log.ts";
import { PAGE_BYTES, PageBuilder } from "../../lib/process/log_page.ts";
import type { ProcessEvent, Stream } from "../../lib/process/process_event.ts";
import { descriptorsOf } from "../faults/system_facts.ts";
import { followStory, readStory, type Story } from "../support/log_story.ts";
import { untilTrue } from "../support/peer_deadline.ts";
import { filesIn, testSpools } from "../support/spools.ts";

const KILO = 1024;

/** Every chunk is different, and says which it is. */
function chunkOf(seq: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size).fill(seq % 251);
  new DataView(bytes.buffer).setUint32(0, seq);
  return bytes;
}

/** A log whose whole story is known. */
class KnownLog {
  readonly sizes = new Map<number, { stream: Stream; size: number }>();

  constructor(readonly log: EventLog) {}

  async print(size: number, stream: Stream = "stdout"): Promise<void> {
    this.sizes.set(this.log.nextSeq, { stream, size });
    this.log.appendOutput(stream, chunkOf(this.log.nextSeq, size));
    // As whoever reads a child does.
    await this.log.whenRoom();
  }

  async printMiB(mib: number): Promise<void> {
    for (let n = 0; n < mib * 16; n++) await this.print(64 * KILO);
  }

  /** The chunks are what was printed, and every number is a chunk, a part of a gap or an end. */
  mustTell({ chunks, gaps }: Story, afterSeq = 0): void {
    const told = new Set<number>(chunks.map(({ seq }) => seq));
    expect(told.size).toBe(chunks.length);
    for (const { seq, stream, bytes } of chunks) {
      const known = this.sizes.get(seq)!;
      expect({ stream, size: bytes.length }).toEqual(known);
      expect(Buffer.compare(bytes, chunkOf(seq, known.size))).toBe(0);
    }
    for (const { fromSeq, toSeq, bytes } of gaps) {
      let missing = 0;
      for (let seq = fromSeq; seq <= toSeq; seq++) {
        expect(told.has(seq)).toBe(false);
        told.add(seq);
        missing += this.sizes.get(seq)!.size;
      }
      if (bytes !== null) expect(bytes).toBe(missing);
    }
    for (const seq of this.sizes.keys()) expect(told.has(seq)).toBe(seq > afterSeq);
    expect(chunks.map(({ seq }) => seq)).toEqual(chunks.map(({ seq }) => seq).sort((a, b) => a - b));
  }

  mustTellAll(events: readonly ProcessEvent[]): void {
    // In the order of their numbers, none left out.
    let next = 1;
    for (const event of events) {
      expect(event.type === "gap" ? event.fromSeq : event.seq).toBe(next);
      next = event.seq + 1;
    }
    expect(next).toBe(this.log.nextSeq);
    this.mustTell({
      chunks: events.filter((event) => event.type === "output"),
      gaps: events.filter((event) => event.type === "gap"),
    });
  }
}

type Step =
  | { do: "print"; size: number; times: number; stream: Stream }
  | { do: "read"; back: number; maxBytes: number | null }
  | { do: "follow" }
  | { do: "exit" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("print" as const),
      size: fc.constantFrom(4, 100, 3_000, 64 * KILO, 200 * KILO),
      times: fc.constantFrom(1, 10, 60),
      stream: fc.constantFrom<Stream>("stdout", "stderr", "pty"),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("read" as const),
      back: fc.nat(300),
      maxBytes: fc.option(fc.constantFrom(0, 1, 100 * KILO, RETAINED_BYTES, 20 * RETAINED_BYTES)),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ do: "follow" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "exit" as const }) },
);

describe("a log with a spool", () => {
  for (
    const [name, maxBytes] of [["with room for all", 2 ** 30], ["with room for 4 MiB", 4 * 2 ** 20]] as const
  ) {
    test(`${name} tells everybody what was printed, or what is gone, and nothing else`, async () => {
      await using spools = await testSpools({ maxBytes });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
          const log = new EventLog(spools.room.open());
          const known = new KnownLog(log);
          const readers: Promise<ProcessEvent[]>[] = [];
          for (const one of steps) {
            switch (one.do) {
              case "print":
                for (let n = 0; n < one.times; n++) await known.print(one.size, one.stream);
                break;
              case "read": {
                const after = Math.max(0, log.nextSeq - 1 - one.back);
                const story = await readStory(log, after, one.maxBytes);
                known.mustTell(story, after);
                // The newest are there whatever happens.
                if (maxBytes === 2 ** 30) expect(story.gaps).toEqual([]);
                break;
              }
              case "follow":
                readers.push(followStory(log));
                break;
              case "exit":
                if (log.exited === null) log.appendExited(3, false);
            }
          }
          known.mustTell(await readStory(log, 0, null));
          known.mustTellAll(await followStory(log));
          await Promise.all(readers);
          log.forget();
        }),
        { numRuns: 25 },
      );
      expect(spools.warnings).toEqual([]);
      await spools.isEmpty();
    }, 60_000);
  }

  test("of a process that prints less than a MiB never touches the disk", async () => {
    await using spools = await testSpools();
    const known = new KnownLog(new EventLog(spools.room.open()));
    for (let n = 0; n < 16; n++) await known.print(64 * KILO);
    expect(known.log.page(0, null)).not.toBeInstanceOf(Promise);
    expect(filesIn(spools.root)).toEqual([]);
  });

  test("keeps no descriptor open while nothing is printed", async () => {
    await using spools = await testSpools();
    const open = () => descriptorsOf(process.pid).filter((path) => path.startsWith(spools.root)).length;
    const logs = Array.from({ length: 20 }, () => new KnownLog(new EventLog(spools.room.open())));
    for (const known of logs) await known.printMiB(2);
    await untilTrue(() => open() === 1, "nothing but the lock to be open");
    for (const known of logs) known.mustTell(await readStory(known.log, 0, null));
  });

  test("pages of it end below what a peer takes, and then do not say what comes after them", async () => {
    await using spools = await testSpools();
    const known = new KnownLog(new EventLog(spools.room.open()));
    await known.printMiB(20);
    known.log.appendExited(7, false);
    known.log.appendClosed();
    const first = await known.log.page(0, null);
    expect(first).toMatchObject({ exited: null, closed: false, nextSeq: first.chunks.length + 1 });
    const bytes = first.chunks.reduce((sum, chunk) => sum + chunk.bytes.length, 0);
    expect(bytes).toBeGreaterThan(PAGE_BYTES - 2 * 64 * KILO);
    expect(bytes).toBeLessThanOrEqual(PAGE_BYTES);
    // Who asks for less is told as Codex tells it.
    expect(await known.log.page(0, 1)).toMatchObject({ exited: { exitCode: 7 }, closed: true, nextSeq: 2 });
    const last = await known.log.page(first.nextSeq + 200, null);
    expect(last).toMatchObject({ exited: { exitCode: 7 }, closed: true, nextSeq: known.log.nextSeq });
  });

  test("leaves what a reader was given as it is, also when it is put away and nobody else has it", async () => {
    await using spools = await testSpools();
    const known = new KnownLog(new EventLog(spools.room.open()));
    const reader = known.log.follow(0, () => {});
    for (let n = 0; n < 8; n++) await known.print(4_000);
    const taken = reader.take();
    reader.leave();
    const { chunks } = await known.log.page(1, null);
    await known.printMiB(6);
    await spools.holds(4 * 2 ** 20);
    expect(taken).toMatchObject({ seq: 1, bytes: chunkOf(1, 4_000) });
    for (const { seq, bytes } of chunks) expect(Buffer.compare(bytes, chunkOf(seq, 4_000))).toBe(0);
    expect(chunks).toHaveLength(7);
  });

  test("a page ends before a gap when what comes after the gap does not fit any more", () => {
    const chunk = (seq: number) => ({
      type: "output" as const,
      seq,
      stream: "stdout" as const,
      bytes: chunkOf(seq, 10),
    });
    const gap = { type: "gap" as const, seq: 5, fromSeq: 2, toSeq: 5, bytes: null };
    const end = { nextSeq: 7, exited: null, closed: null, failure: null };
    for (const [maxBytes, gaps, nextSeq] of [[15, [], 2], [20, [gap], 7]] as const) {
      const page = new PageBuilder(0, maxBytes);
      for (const event of [chunk(1), gap, chunk(6)]) page.take(event);
      expect(page.finish(end)).toMatchObject({ gaps, nextSeq });
    }
  });

  test("above its limit drops the oldest, and says how much that was", async () => {
    await using spools = await testSpools({ maxBytes: 4 * 2 ** 20 });
    const known = new KnownLog(new EventLog(spools.room.open()));
    await known.printMiB(12);
    // A MiB, and less than is worth to be put away.
    await untilTrue(() => !known.log.isInMemory(known.log.nextSeq - 21), "all but the newest to be put away");
    const { gaps: [gap, ...others], chunks } = await readStory(known.log, 0, null);
    expect(others).toEqual([]);
    expect(gap).toMatchObject({
      fromSeq: 1,
      toSeq: chunks[0]!.seq - 1,
      bytes: (chunks[0]!.seq - 1) * 64 * KILO,
    });
    // Four on disk but for a file's worth, and a little in memory.
    expect(chunks.length).toBeGreaterThan(3 * 16);
    expect(chunks.length).toBeLessThan(6 * 16);
    known.mustTellAll(await followStory(known.log));
  });

  test("takes from who has most when all together have too much", async () => {
    await using spools = await testSpools({ allMaxBytes: 80 * 2 ** 20 });
    const [large, small] = [new EventLog(spools.room.open()), new EventLog(spools.room.open())].map((log) =>
      new KnownLog(log)
    );
    await large!.printMiB(70);
    await small!.printMiB(20);
    const stories = await Promise.all([large!, small!].map(({ log }) => readStory(log, 0, null)));
    expect(stories.map(({ gaps }) => gaps.length)).toEqual([1, 0]);
    large!.mustTell(stories[0]!);
    small!.mustTell(stories[1]!);
  });

  test("whose files are lost says so, once aloud, and goes on", async () => {
    await using spools = await testSpools();
    const known = new KnownLog(new EventLog(spools.room.open()));
    await known.printMiB(4);
    await spools.holds(2.5 * 2 ** 20);
    await rm(spools.root, { recursive: true });
    const { gaps, chunks } = await readStory(known.log, 0, null);
    expect(gaps).toHaveLength(1);
    expect(chunks.length).toBeGreaterThanOrEqual(4); // those in memory
    known.mustTellAll(await followStory(known.log));
    await known.printMiB(40);
    known.mustTellAll(await followStory(known.log));
    expect(spools.warnings).toEqual([
      `Some output is not kept: Cannot write to ${spools.root}: No such file or directory (os error 2)`,
    ]);
  });

  test("is there for its readers until the last of them has left, also when it is forgotten", async () => {
    await using spools = await testSpools();
    const known = new KnownLog(new EventLog(spools.room.open()));
    await known.printMiB(5);
    await spools.holds(3.5 * 2 ** 20);
    const hold = known.log.follow(0, () => {});
    const story = followStory(known.log);
    known.log.forget();
    known.mustTellAll(await story);
    expect(filesIn(spools.root).length).toBeGreaterThan(0);
    hold.leave();
    await spools.isEmpty();
  });
});

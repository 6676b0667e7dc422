import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { CatchUpError, eventsFromRead, type Known } from "../../lib/client/catch_up.ts";
import { EventOrder, OrderError } from "../../lib/client/event_order.ts";
import type { ToldEvent } from "../../lib/client/wire_events.ts";
import type { ProcessEvent } from "../../lib/process/process_event.ts";
import type { ReadAnswer } from "../../lib/wire/client_messages.ts";

const seed = Number(process.env["EXEC_SERVER_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
console.log(`event order: EXEC_SERVER_SEED=${seed}`);

function output(seq: number, size = 1): ToldEvent {
  return { type: "output", seq, stream: "stdout", bytes: new Uint8Array(size).fill(seq) };
}
const exited = (seq: number, exitCode = 0, sandboxDenied: boolean | null = false): ToldEvent => {
  return { type: "exited", seq, exitCode, sandboxDenied };
};
const closed = (seq: number): ToldEvent => ({ type: "closed", seq });

function ordered() {
  const told: ProcessEvent[] = [];
  const order = new EventOrder((event) => told.push(event));
  return { order, told, seqs: () => told.map(({ seq }) => seq) };
}

/** The story of a process: outputs with an exit anywhere and a close at the end. */
const stories = fc.record({ outputs: fc.nat(40), exitAfter: fc.nat(40) }).map(({ outputs, exitAfter }) => {
  const exitSeq = Math.min(exitAfter, outputs) + 1;
  const story = Array.from({ length: outputs + 1 }, (_, index) => index + 1)
    .map((seq) => seq === exitSeq ? exited(seq, 5) : output(seq));
  return [...story, closed(outputs + 2)];
});

/** What a read after `afterSeq` says when everything up to `upTo` has happened. */
function readOf(story: readonly ToldEvent[], afterSeq: number, upTo: number): ReadAnswer {
  const happened = story.slice(0, upTo);
  const exit = happened.find((event) => event.type === "exited");
  return {
    chunks: happened.flatMap((event) =>
      event.type === "output" && event.seq > afterSeq
        ? [{ seq: event.seq, stream: event.stream, chunk: event.bytes.toBase64() }]
        : []
    ),
    nextSeq: upTo + 1,
    exited: exit !== undefined,
    exitCode: exit?.type === "exited" ? exit.exitCode : null,
    closed: upTo > 0 && upTo === story.length,
    failure: null,
    sandboxDenied: false,
    gaps: [],
    ...{ outcome: null, usage: null, leftovers: null },
  };
}

describe("the order of events", () => {
  test("is restored from any, repeats included", () => {
    fc.assert(
      fc.property(
        stories.chain((story) =>
          fc.tuple(
            fc.constant(story),
            fc.shuffledSubarray([...story, ...story], { minLength: story.length * 2 }),
          )
        ),
        ([story, arriving]) => {
          const { order, seqs } = ordered();
          for (const event of arriving) order.insert(event);
          expect(seqs()).toEqual(story.map(({ seq }) => seq));
        },
      ),
      { seed },
    );
  });

  test("tells nothing after the end", () => {
    const { order, seqs } = ordered();
    for (const event of [exited(1), closed(2), output(3)]) order.insert(event);
    expect(seqs()).toEqual([1, 2]);
  });

  test("waits at an exit of which something is missing", () => {
    const { order, told } = ordered();
    order.insert(exited(1, 3, null));
    order.insert(closed(2));
    expect(told).toEqual([]);
    expect(order.unfinishedExit?.seq).toBe(1);
    order.completeExit(1, true);
    expect(told).toEqual([{ type: "exited", seq: 1, exitCode: 3, sandboxDenied: true }, {
      type: "closed",
      seq: 2,
    }]);
    expect(order.unfinishedExit).toBeNull();
  });

  test("goes on without the answer about an exit rather than lose what waits behind it", () => {
    const { order, seqs } = ordered();
    order.insert(exited(1, 0, null));
    for (let seq = 2; seq <= 258; seq++) order.insert(output(seq));
    expect(seqs().length).toBe(258);
  });

  test("has more patience while the client catches up", () => {
    const { order, seqs } = ordered();
    order.isCatchingUp = true;
    for (let seq = 2; seq <= 60; seq++) order.insert(output(seq, 64 * 1024));
    order.insert(output(1));
    expect(seqs().length).toBe(60);
    for (let seq = 62; seq <= 189; seq++) order.insert(output(seq, 64 * 1024));
    expect(() => order.insert(output(190, 64 * 1024))).toThrow(OrderError);
  });
});

const gap = (fromSeq: number, toSeq: number): ToldEvent & { type: "gap" } => {
  return { type: "gap", seq: toSeq, fromSeq, toSeq, bytes: 10 };
};

describe("a gap", () => {
  test("takes the place of all that it tells of", () => {
    const { order, told, seqs } = ordered();
    for (const event of [output(5), output(1), exited(6), gap(2, 4), closed(7)]) order.insert(event);
    expect(seqs()).toEqual([1, 4, 5, 6, 7]);
    expect(told[1]).toEqual({ type: "gap", seq: 4, fromSeq: 2, toSeq: 4, bytes: 10 });
  });

  test("of which some was told already, also by another gap, holds nothing up", () => {
    const { order, seqs } = ordered();
    for (const event of [gap(3, 8), gap(1, 5), output(9)]) order.insert(event);
    expect(seqs()).toEqual([5, 8, 9]);
    order.insert(gap(2, 9));
    expect(order.lastPublished).toBe(9);
  });

  test("is as good as what it stands for, wherever it comes from", () => {
    const cases = stories.chain((story) =>
      fc.record({
        story: fc.constant(story),
        gone: fc.subarray(story.filter(({ type }) => type === "output").map(({ seq }) => seq)),
        told: fc.integer({ min: 0, max: story.length }),
        live: fc.subarray(story),
      })
    );
    fc.assert(
      fc.property(cases, ({ story, gone, told, live }) => {
        const { order } = ordered();
        for (const event of story.slice(0, told)) order.insert(event);
        for (const event of live) order.insert(event);
        const cursor = order.lastPublished;
        const missing = gone.filter((seq) => seq > cursor);
        const kept = readOf(story, cursor, story.length);
        const answer = {
          ...kept,
          chunks: kept.chunks.filter(({ seq }) => !missing.includes(seq)),
          gaps: joined(missing),
        };
        for (const event of eventsFromRead(order, answer).events) order.insert(event);
        expect(order.lastPublished).toBe(story.length);
      }),
      { seed },
    );
  });

  /** Neighbours as one. */
  function joined(seqs: readonly number[]): ReadAnswer["gaps"] {
    const gaps: { fromSeq: number; toSeq: number; bytes: number | null }[] = [];
    for (const seq of seqs) {
      const last = gaps.at(-1);
      if (last?.toSeq === seq - 1) last.toSeq = seq;
      else gaps.push({ fromSeq: seq, toSeq: seq, bytes: null });
    }
    return gaps;
  }
});

describe("a catch-up", () => {
  test("rebuilds any story from any point, whatever came live before", () => {
    const cases = stories.chain((story) =>
      fc.record({
        story: fc.constant(story),
        told: fc.integer({ min: 0, max: story.length }),
        upTo: fc.integer({ min: 0, max: story.length }),
        live: fc.subarray(story),
      })
    );
    fc.assert(
      fc.property(cases, ({ story, told, upTo, live }) => {
        const { order, seqs } = ordered();
        for (const event of story.slice(0, told)) order.insert(event);
        for (const event of live) order.insert(event);
        const until = Math.max(upTo, order.lastPublished);
        const answer = readOf(story, order.lastPublished, until);
        for (const event of eventsFromRead(order, answer).events) order.insert(event);
        expect(order.lastPublished).toBeGreaterThanOrEqual(until);
        for (const event of story) order.insert(event);
        expect(seqs()).toEqual(story.map(({ seq }) => seq));
      }),
      { seed },
    );
  });

  const known = (lastPublished: number, waiting: ToldEvent[] = [], exitPublished = false): Known => {
    return { lastPublished, exitPublished, waiting: new Map(waiting.map((event) => [event.seq, event])) };
  };
  const answer = (change: Partial<ReadAnswer>): ReadAnswer => {
    return { ...readOf([], 0, 0), ...change };
  };
  const piece = (seq: number) => ({ seq, stream: "stdout" as const, chunk: "eA==" });
  const hole = (target: number) =>
    `process events are no longer retained while recovering through sequence ${target}`;

  test.each<[string, Known, ReadAnswer, string]>([
    ["a failure", known(0), answer({ failure: "it broke" }), "it broke"],
    [
      "output beyond the end",
      known(0),
      answer({ nextSeq: 3, chunks: [piece(3)] }),
      "recovered process output sequence 3 exceeds target sequence 2",
    ],
    [
      "output in the place of the close",
      known(0),
      answer({ nextSeq: 2, closed: true, chunks: [piece(1)] }),
      "process close sequence 1 conflicts with recovered output",
    ],
    [
      "an exit in the place of the close",
      known(0, [exited(2)]),
      answer({ nextSeq: 3, closed: true, exited: true, exitCode: 0 }),
      "process close sequence 2 conflicts with recovered output",
    ],
    [
      "an exit without a code",
      known(0),
      answer({ nextSeq: 2, exited: true }),
      "recovering exited process did not include its exit code",
    ],
    ["a forgotten chunk", known(0), answer({ nextSeq: 3, chunks: [piece(2)] }), hole(2)],
    [
      "a forgotten chunk before an exit",
      known(0),
      answer({ nextSeq: 4, chunks: [piece(3)], exited: true, exitCode: 0 }),
      hole(3),
    ],
    ["two holes and one exit", known(0), answer({ nextSeq: 3, exited: true, exitCode: 0 }), hole(2)],
    [
      "no hole for an exit",
      known(1),
      answer({ nextSeq: 3, chunks: [piece(2)], exited: true, exitCode: 0 }),
      hole(2),
    ],
    ["a number that no memory would hold", known(0), answer({ nextSeq: 2 ** 52 }), hole(2 ** 52 - 1)],
  ])("refuses %s", (_, state, read, message) => {
    expect(() => eventsFromRead(state, read)).toThrow(new CatchUpError(message));
  });

  test("tells which waiting exit it completes", () => {
    const read = answer({ nextSeq: 3, closed: true, exited: true, exitCode: 1, sandboxDenied: true });
    const missed = eventsFromRead(known(0, [exited(1, 1, null)]), read);
    expect(missed.completedExit).toBe(1);
    expect(missed.events).toEqual([closed(2)]);
  });

  test("finds nothing to do when nothing happened", () => {
    expect(eventsFromRead(known(4), answer({ nextSeq: 5 })).events).toEqual([]);
  });
});

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  type Answer,
  type Answerer,
  Dispatcher,
  type Request,
  WAITING_REQUESTS,
} from "../../lib/rpc/dispatcher.ts";
import { Outbox } from "../../lib/rpc/outbox.ts";
import type { RequestId } from "../../lib/wire/envelope.ts";
import { ManualTransport } from "../support/manual_transport.ts";

const KINDS = ["now", "later", "waits"] as const;
type Kind = (typeof KINDS)[number];

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const request = (id: number, method: Kind, size = 10): Request => ({
  id: `${id}` as RequestId,
  method,
  params: null,
  size,
});

function workFor(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

/** A peer's requests, the work on them, and what went back. */
class Bench implements Answerer {
  readonly transport = new ManualTransport();
  readonly outbox = new Outbox(this.transport);
  readonly dispatcher: Dispatcher;
  readonly begun: string[] = [];
  /** What is being worked on, or waits, by id. */
  readonly open = new Map<string, { kind: Kind; finish: () => void }>();
  busyMs = 0;
  /** How long it takes to put an answer into words. */
  wordyMs = 0;

  constructor(limit = 128) {
    this.dispatcher = new Dispatcher(this.outbox, this, limit, this.transport);
  }

  answer(request: Request): Answer | Promise<Answer> {
    const id: string = request.id;
    this.begun.push(id);
    workFor(this.busyMs);
    const answer = () => {
      workFor(this.wordyMs);
      return id;
    };
    if (!("method" in request) || request.method === "now") return answer;
    return new Promise((resolve) => {
      const finish = () => {
        this.open.delete(id);
        resolve(answer);
      };
      this.open.set(id, { kind: request.method as Kind, finish });
    });
  }

  mayWait(request: Request): boolean {
    return "method" in request && request.method === "waits";
  }

  working(kind: Kind): number {
    return [...this.open.values()].filter((one) => one.kind === kind).length;
  }

  finish(id: number): void {
    this.open.get(`${id}`)!.finish();
  }

  /** The far side takes everything, so much at a time if there is a limit. */
  drain(room = Infinity): void {
    this.transport.drain(room);
    this.outbox.drained();
  }
}

describe("Dispatcher", () => {
  test("begins in the order they came and ends in any: a long wait delays nobody", async () => {
    const bench = new Bench();
    bench.dispatcher.receive(request(1, "waits"));
    bench.dispatcher.receive(request(2, "later"));
    bench.dispatcher.receive(request(3, "now"));
    bench.finish(2);
    await turn();
    expect([bench.begun, bench.transport.sent]).toEqual([["1", "2", "3"], ["3", "2"]]);
  });

  test("with one request at a time work is in order, and waiting still delays nobody", async () => {
    const bench = new Bench(1);
    for (const [index, kind] of (["waits", "later", "waits", "now", "later"] as const).entries()) {
      bench.dispatcher.receive(request(index, kind));
    }
    await turn();
    expect(bench.begun).toEqual(["0", "1"]);
    bench.finish(1);
    await turn(); // the work ends in this turn, and its place is given away in the next
    await turn();
    expect(bench.begun).toEqual(["0", "1", "2", "3", "4"]);
    bench.finish(4);
    await turn();
    expect(bench.transport.sent).toEqual(["1", "3", "4"]);
  });

  test("waiting requests beyond 2,048 count as work, and the next after those wait for a place", async () => {
    const bench = new Bench();
    const all = WAITING_REQUESTS + 128 + 5;
    for (let n = 0; n < all; n++) bench.dispatcher.receive(request(n, "waits"));
    bench.dispatcher.receive(request(all, "now"));
    for (let n = 0; n < 50; n++) await turn();
    expect(bench.begun).toHaveLength(WAITING_REQUESTS + 128);
    for (let n = 0; n < all; n++) {
      bench.finish(n);
      if (n % 50 === 0) await turn();
    }
    for (let n = 0; n < 50; n++) await turn();
    expect(bench.transport.sent).toHaveLength(all + 1);
  });

  test("a flood stops the reading at 8,192 requests and begins it again, and all are answered", async () => {
    const bench = new Bench();
    bench.transport.drain(0);
    let sent = 0;
    const isPaused = () => bench.transport.isPaused;
    while (!isPaused()) bench.dispatcher.receive(request(sent++, "now"));
    expect([sent, bench.begun.length]).toEqual([8_193, 0]);
    bench.drain();
    for (let n = 0; n < 1_000 && bench.transport.sent.length < sent; n++) await turn();
    expect(isPaused()).toBe(false);
    expect(bench.transport.sent).toHaveLength(sent);
  });

  test("few but large requests stop the reading too, until they are answered", async () => {
    const bench = new Bench();
    const size = 64 * 1024 * 1024;
    bench.dispatcher.receive(request(1, "waits", size));
    bench.dispatcher.receive(request(2, "waits", size));
    expect(bench.transport.isPaused).toBe(false);
    bench.dispatcher.receive(request(3, "waits", 1));
    expect(bench.transport.isPaused).toBe(true);
    bench.finish(1);
    await turn();
    expect(bench.transport.isPaused).toBe(false);
  });

  test("nonsense waits its turn like any request, and a flood of it is bounded", () => {
    const bench = new Bench();
    bench.transport.drain(10);
    for (let n = 0; !bench.transport.isPaused; n++) {
      bench.dispatcher.receive({ id: "-1" as RequestId, problem: "nonsense", size: 1 });
      expect(n).toBeLessThan(9_000);
    }
    expect(bench.transport.sent).toHaveLength(10);
  });

  test("busy work gives way to others: after its slice the rest waits for the next turn", async () => {
    const bench = new Bench();
    bench.busyMs = 1;
    let turns = 0;
    const count = () => {
      turns += 1;
      if (bench.transport.sent.length < 60) setImmediate(count);
    };
    for (let n = 0; n < 60; n++) bench.dispatcher.receive(request(n, "now"));
    expect(bench.begun.length).toBeLessThan(10);
    setImmediate(count);
    while (bench.transport.sent.length < 60) await turn();
    expect(turns).toBeGreaterThan(10);
    expect(bench.transport.sent).toEqual(Array.from({ length: 60 }, (_, n) => `${n}`));
  });

  test("answers that take their time to be put into words give way to others too", async () => {
    const bench = new Bench();
    bench.wordyMs = 1;
    for (let n = 0; n < 40; n++) bench.dispatcher.receive(request(n, "later"));
    for (let n = 0; n < 40; n++) bench.finish(n);
    let turns = 0;
    for (; bench.transport.sent.length < 40; turns++) await turn();
    expect(turns).toBeGreaterThan(10);

    bench.transport.drain(0);
    for (let n = 40; n < 80; n++) bench.dispatcher.receive(request(n, "later"));
    await turn();
    expect(bench.open.size).toBe(0); // no room, so nothing begins
    bench.drain();
    for (let waited = 0; bench.open.size < 40 && waited < 100; waited++) await turn();
    bench.transport.drain(0);
    for (let n = 40; n < 80; n++) bench.finish(n);
    await turn();
    bench.drain(); // all of them are ready now
    expect(bench.transport.sent.length).toBeLessThan(50);
    for (turns = 0; bench.transport.sent.length < 80; turns++) await turn();
    expect(turns).toBeGreaterThan(10);
  });

  test("an answer that found no room is sent when there is some, also when nobody says so", async () => {
    const bench = new Bench();
    bench.busyMs = 3;
    bench.dispatcher.receive(request(0, "later"));
    bench.busyMs = 0;
    bench.dispatcher.receive(request(1, "now")); // over its slice: a later turn is asked for
    bench.transport.drain(0);
    bench.finish(0);
    await Promise.resolve(); // the answer comes while there is no room
    await Promise.resolve();
    bench.drain(); // and room while nobody waits for it
    await turn();
    await turn();
    expect(bench.transport.sent.toSorted()).toEqual(["0", "1"]);
  });

  test("when the other side leaves, what it asked last still happens, in order", async () => {
    const bench = new Bench(2);
    bench.dispatcher.receive(request(0, "later"));
    for (let n = 1; n < 5; n++) bench.dispatcher.receive(request(n, n === 3 ? "waits" : "now"));
    bench.dispatcher.end("finish");
    expect(bench.begun).toEqual(["0", "1", "2", "3", "4"]);
    bench.finish(0);
    bench.finish(3);
    await turn();
    await bench.dispatcher.whenIdle();
    expect(bench.transport.sent).toEqual(["1", "2", "4", "0", "3"]);
  });

  test("the last requests of one who left are no more at a time than usual", () => {
    const bench = new Bench(2);
    for (let n = 0; n < 9; n++) bench.dispatcher.receive(request(n, "later"));
    bench.dispatcher.end("finish");
    expect(bench.begun).toEqual(["0", "1"]);
  });

  test("when we hang up, what was not begun never happens", async () => {
    const bench = new Bench(1);
    bench.dispatcher.receive(request(0, "later"));
    for (let n = 1; n < 5; n++) bench.dispatcher.receive(request(n, "now"));
    bench.dispatcher.end("drop");
    bench.finish(0);
    await turn();
    expect({ begun: bench.begun, sent: bench.transport.sent }).toEqual({ begun: ["0"], sent: [] });
  });

  test("whatever comes in whatever order, all is begun in order, answered once, and within the limits", async () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom(...KINDS) },
      { weight: 3, arbitrary: fc.record({ finish: fc.nat(1_000) }) },
      { weight: 2, arbitrary: fc.record({ room: fc.nat(4) }) },
      { weight: 3, arbitrary: fc.constant("turn" as const) },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.array(step, { maxLength: 80 }),
        async (limit, steps) => {
          const bench = new Bench(limit);
          let received = 0;
          for (const step of steps) {
            if (step === "turn") await turn();
            else if (typeof step === "string") bench.dispatcher.receive(request(received++, step));
            else if ("room" in step) bench.drain(step.room);
            else [...bench.open.values()][step.finish % (bench.open.size || 1)]?.finish();
            expect(bench.working("later")).toBeLessThanOrEqual(limit);
          }
          for (let n = 0; n < 3 * received + 3 && bench.transport.sent.length < received; n++) {
            bench.drain();
            for (const { finish } of [...bench.open.values()]) finish();
            await turn();
          }
          const ids = Array.from({ length: received }, (_, n) => `${n}`);
          expect(bench.begun).toEqual(ids);
          expect(bench.transport.sent.toSorted((a, b) => Number(a) - Number(b))).toEqual(ids);
        },
      ),
      { numRuns: 150 },
    );
  });
});

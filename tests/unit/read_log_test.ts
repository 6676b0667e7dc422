import { describe, expect, test } from "bun:test";
import { EventLog, type LogPage } from "../../lib/process/event_log.ts";
import { readLog } from "../../lib/process/read_log.ts";
import { ManualClock } from "../support/manual_clock.ts";

const HELLO = new TextEncoder().encode("hello");
const never = () => new AbortController().signal;

/** Reads with a wait of 1,000 ms unless told otherwise. */
function reading(log: EventLog, options: { afterSeq?: number; maxBytes?: number; waitMs?: number } = {}) {
  const clock = new ManualClock();
  const givenUp = new AbortController();
  const { afterSeq = 0, maxBytes = null, waitMs = 1_000 } = options;
  const found = readLog(log, { afterSeq, maxBytes, waitMs }, clock, givenUp.signal);
  return { clock, givenUp, found };
}

describe("readLog()", () => {
  test("answers at once, without a promise, when there is something new or no wait was asked for", () => {
    const log = new EventLog();
    expect(reading(log, { waitMs: 0 }).found).toMatchObject({ chunks: [], nextSeq: 1 });
    log.appendOutput("stdout", HELLO);
    expect(reading(log).found).toMatchObject({ chunks: [{ seq: 1 }], nextSeq: 2 });
  });

  test("an exit that the caller has not seen is news, and one that it has seen is not", async () => {
    const log = new EventLog();
    log.appendExited(3, false);
    expect(reading(log).found).toMatchObject({ chunks: [], nextSeq: 2, exited: { exitCode: 3 } });
    const { found, clock } = reading(log, { afterSeq: 1 });
    expect(found).toBeInstanceOf(Promise);
    await clock.advance(1_000);
    expect(await found).toMatchObject({ chunks: [], closed: false });
  });

  test("once closed, every read answers at once, whatever its cursor", () => {
    const log = new EventLog();
    log.appendExited(0, false);
    log.appendClosed();
    for (const afterSeq of [0, 1, 2, 99, 2 ** 53]) {
      expect(reading(log, { afterSeq }).found).toMatchObject({ closed: true, nextSeq: 3 });
    }
  });

  test("a failure answers at once as well", () => {
    const log = new EventLog();
    log.fail("gone");
    expect(reading(log).found).toMatchObject({ failure: "gone" });
  });

  test("waits for the next event, and leaves neither a timer nor a listener behind", async () => {
    const log = new EventLog();
    const { found, clock } = reading(log);
    expect(clock.pending).toBe(1);
    log.appendOutput("stderr", HELLO);
    expect(await found).toMatchObject({ chunks: [{ seq: 1, stream: "stderr" }], nextSeq: 2 });
    expect(clock.pending).toBe(0);
  });

  test("a cursor beyond the end sleeps through output until it gets there", async () => {
    const log = new EventLog();
    const { found } = reading(log, { afterSeq: 2 });
    let page: LogPage | null = null;
    void Promise.resolve(found).then((later) => (page = later));
    log.appendOutput("stdout", HELLO);
    log.appendOutput("stdout", HELLO);
    await Promise.resolve();
    expect(page).toBeNull();
    log.appendOutput("stdout", HELLO);
    expect(await found).toMatchObject({ chunks: [{ seq: 3 }], nextSeq: 4 });
  });

  test("times out with an empty page at exactly the wait", async () => {
    const log = new EventLog();
    const { found, clock } = reading(log);
    let isDone = false;
    void Promise.resolve(found).then(() => (isDone = true));
    await clock.advance(999);
    expect(isDone).toBe(false);
    await clock.advance(1);
    expect(await found).toMatchObject({ chunks: [], nextSeq: 1, exited: null, closed: false });
  });

  test("whoever gives up is answered at once, before and while it waits", async () => {
    const log = new EventLog();
    const { found, givenUp, clock } = reading(log);
    givenUp.abort();
    expect(await found).toMatchObject({ chunks: [], nextSeq: 1 });
    expect(clock.pending).toBe(0);
    expect(readLog(log, { afterSeq: 0, maxBytes: null, waitMs: 5 }, clock, AbortSignal.abort()))
      .not.toBeInstanceOf(Promise);
  });

  test("thousands may wait for one log and one signal", async () => {
    const log = new EventLog();
    const clock = new ManualClock();
    const signal = never();
    const options = { afterSeq: 0, maxBytes: null, waitMs: 1_000 };
    const pages = Array.from({ length: 3_000 }, () => readLog(log, options, clock, signal));
    log.appendOutput("stdout", HELLO);
    for (const page of await Promise.all(pages)) expect(page.nextSeq).toBe(2);
    expect(clock.pending).toBe(0);
  });
});

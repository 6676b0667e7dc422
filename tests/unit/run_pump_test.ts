import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { Interrupts } from "../../cli/run/interrupts.ts";
import { pump } from "../../cli/run/pump.ts";
import { type Limit, TimeLimits } from "../../cli/run/time_limits.ts";
import { WholeText } from "../../cli/run/whole_text.ts";
import type { ProcessHandle } from "../../lib/process/backend.ts";
import { EventLog, type LogPage } from "../../lib/process/event_log.ts";
import { ManualClock } from "../support/manual_clock.ts";

describe("Ctrl-C", () => {
  test.each([
    [[0], ["forward"]],
    [[0, 1_999], ["forward", "force"]],
    [[0, 2_001], ["forward", "forward"]],
    [[0, 1_000, 9_000], ["forward", "force", "leave"]],
    [[0, 3_000, 4_000, 5_000], ["forward", "forward", "force", "leave"]],
  ])("at %j means %j", (times, meanings) => {
    const interrupts = new Interrupts();
    expect(times.map((at) => interrupts.pressed(at)) as string[]).toEqual(meanings);
  });
});

describe("whole text", () => {
  test("loses no byte and cuts no character, however it comes", () => {
    const seed = Date.now() % 1_000_000;
    console.log(`seed ${seed}`);
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme" }),
        fc.infiniteStream(fc.integer({ min: 1, max: 5 })),
        (text, sizes) => {
          const bytes = new TextEncoder().encode(text);
          const whole = new WholeText();
          let back = "";
          for (let at = 0; at < bytes.length;) {
            const size = sizes.next().value!;
            back += new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
              whole.take(bytes.slice(at, at + size)),
            );
            at += size;
          }
          expect(back).toBe(text);
          expect(whole.rest()).toHaveLength(0);
        },
      ),
      { seed },
    );
  });

  test("lets bytes go that will never be text", () => {
    const whole = new WholeText();
    expect([...whole.take(Uint8Array.of(0xff, 0x80, 0x80, 0x80, 0x80))]).toEqual([
      0xff,
      0x80,
      0x80,
      0x80,
      0x80,
    ]);
    expect([...whole.take(Uint8Array.of(0x61, 0xe2, 0x82))]).toEqual([0x61]);
    expect([...whole.rest()]).toEqual([0xe2, 0x82]);
  });
});

describe("time limits", () => {
  const limited = (wallMs: number | null, idleMs: number | null) => {
    const clock = new ManualClock();
    const reached: Limit[] = [];
    return {
      clock,
      reached,
      limits: new TimeLimits(clock, { wallMs, idleMs }, (limit) => reached.push(limit)),
    };
  };

  test("are told once", async () => {
    const { clock, reached } = limited(100, 150);
    await clock.advance(1_000);
    expect(reached).toEqual([{ kind: "timeout", ms: 100 }]);
  });

  test("on idleness begin anew with each output, and rest while nothing can be heard", async () => {
    const { clock, reached, limits } = limited(null, 100);
    await clock.advance(90);
    limits.printed();
    await clock.advance(90);
    limits.holdIdle();
    await clock.advance(1_000);
    expect(reached).toEqual([]);
    limits.printed();
    await clock.advance(100);
    expect(reached).toEqual([{ kind: "idle-timeout", ms: 100 }]);
  });

  test("are not told any more once disposed", async () => {
    const { clock, reached, limits } = limited(100, 100);
    limits[Symbol.dispose]();
    limits.printed();
    await clock.advance(1_000);
    expect(reached).toEqual([]);
  });
});

describe("the pump", () => {
  const page = (chunks: LogPage["chunks"]): LogPage => ({
    chunks,
    gaps: [],
    nextSeq: 1,
    exited: null,
    closed: false,
    failure: null,
  });

  function pumping({ waitClosed = false, isHeard = (): boolean => true, known = page([]) } = {}) {
    const log = new EventLog();
    const clock = new ManualClock();
    const told: string[] = [];
    const tell = (word: string) => {
      told.push(word);
      return Promise.resolve();
    };
    const unused = () => {
      throw new Error("A pump only reads");
    };
    const handle: ProcessHandle = {
      processId: "p",
      log,
      read: () => known,
      write: unused,
      closeInput: unused,
      signal: unused,
      resize: unused,
      terminate: unused,
    };
    const sink = {
      output: (stream: string, bytes: Uint8Array) => tell(`${stream} ${new TextDecoder().decode(bytes)}`),
      gap: (bytes: number | null) => tell(`gap ${bytes}`),
      exited: (code: number) => tell(`exited ${code}`),
      closed: () => tell("closed"),
    };
    let ended: unknown = null;
    void pump(handle, sink, { clock, waitClosed, isHeard }).then((end) => (ended = end));
    const print = (text: string) => log.appendOutput("stdout", new TextEncoder().encode(text));
    return { log, clock, told, print, end: () => ended };
  }

  test("joins small neighbours of one stream, and ends at `closed`", async () => {
    const { log, clock, told, print, end } = pumping();
    print("a");
    print("b");
    log.appendOutput("stderr", new TextEncoder().encode("c"));
    print("d");
    log.appendExited(3, false);
    log.appendClosed();
    await clock.advance(0);
    expect(told).toEqual(["stdout ab", "stderr c", "stdout d", "exited 3", "closed"]);
    expect(end()).toEqual({ kind: "exited", exitCode: 3, closed: true });
  });

  test("ends after 250 ms of silence when the command has exited", async () => {
    const { log, clock, print, end } = pumping();
    log.appendExited(0, false);
    await clock.advance(249);
    print("late");
    await clock.advance(249);
    expect(end()).toBeNull();
    await clock.advance(1);
    expect(end()).toEqual({ kind: "exited", exitCode: 0, closed: false });
  });

  test("ends 2 s after the exit although somebody else goes on printing", async () => {
    const { log, clock, print, end } = pumping();
    log.appendExited(0, false);
    for (let i = 0; i < 19; i++) {
      await clock.advance(100);
      print("x");
    }
    await clock.advance(99);
    expect(end()).toBeNull();
    await clock.advance(1);
    expect(end()).toEqual({ kind: "exited", exitCode: 0, closed: false });
  });

  test("waits for what the place has and a slow line has not brought yet", async () => {
    const late = {
      type: "output" as const,
      seq: 2,
      stream: "stdout" as const,
      bytes: new TextEncoder().encode("late"),
    };
    const { log, clock, told, print, end } = pumping({ known: page([late]) });
    log.appendExited(0, false);
    await clock.advance(1_900);
    expect(end()).toBeNull();
    print("late");
    log.appendClosed();
    await clock.advance(0);
    expect(told).toEqual(["exited 0", "stdout late", "closed"]);
  });

  test("takes the silence of a lost line for nothing", async () => {
    let heard = false;
    const { log, clock, end } = pumping({ isHeard: () => heard });
    log.appendExited(0, false);
    await clock.advance(10_000);
    expect(end()).toBeNull();
    heard = true;
    await clock.advance(500);
    expect(end()).toEqual({ kind: "exited", exitCode: 0, closed: false });
  });

  test("waits for the last holder of the output when asked to", async () => {
    const { log, clock, end } = pumping({ waitClosed: true });
    log.appendExited(0, false);
    await clock.advance(60_000);
    expect(end()).toBeNull();
    log.appendClosed();
    await clock.advance(0);
    expect(end()).toEqual({ kind: "exited", exitCode: 0, closed: true });
  });

  test("tells when the way to the process is lost, after all that came before", async () => {
    const { log, clock, told, print, end } = pumping();
    print("before");
    log.fail("gone");
    await clock.advance(0);
    expect(told).toEqual(["stdout before"]);
    expect(end()).toEqual({ kind: "lost", message: "gone", exitCode: null });
  });
});

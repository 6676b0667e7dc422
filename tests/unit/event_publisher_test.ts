import { describe, expect, test } from "bun:test";
import { NOTHING_AGREED } from "../../lib/wire/extensions.ts";
import { EventLog } from "../../lib/process/event_log.ts";
import { Outbox } from "../../lib/rpc/outbox.ts";
import { EventPublisher } from "../../lib/server/event_publisher.ts";
import { localBackend, shell } from "../support/local_start.ts";
import { ManualTransport } from "../support/manual_transport.ts";
import { untilTrue } from "../support/peer_deadline.ts";

interface Told {
  readonly method: string;
  readonly params: { readonly seq: number; readonly processId: string; readonly chunk?: string };
}

/** A connection with room for so many messages at a time. */
function connection(room = Infinity) {
  const transport = new ManualTransport();
  transport.drain(room);
  const outbox = new Outbox(transport);
  return {
    transport,
    outbox,
    told: () => transport.sent.map((text) => JSON.parse(text) as Told),
    drain() {
      transport.drain();
      outbox.drained();
    },
  };
}

describe("EventPublisher", () => {
  test("tells every event of a process once and in order, closed last, and then says that it is done", async () => {
    await using backend = localBackend();
    const { outbox, told } = connection();
    const process = backend.start(
      shell("echo out; sleep 0.05; echo err >&2; exit 3", { processId: 'a "b"\n😀' }),
    );
    let isDone = false;
    new EventPublisher(process, 0, outbox, () => (isDone = true));
    await process.whenClosed;
    expect(told().map(({ method, params: { seq } }) => [method, seq])).toEqual([
      ["process/output", 1],
      ["process/output", 2],
      ["process/exited", 3],
      ["process/closed", 4],
    ]);
    expect(told().every(({ params }) => params.processId === 'a "b"\n😀')).toBe(true);
    expect(atob(told()[0]!.params.chunk!)).toBe("out\n");
    expect(isDone).toBe(true);
  });

  test("one that is quiet tells nothing and loses nothing until its turn has come, and nothing once it was stopped", async () => {
    await using backend = localBackend();
    for (const stops of [false, true]) {
      const { outbox, told } = connection();
      const process = backend.start(shell("seq 400000"));
      const publisher = EventPublisher.quiet(process, 0, outbox, () => {});
      await untilTrue(() => process.log.isHeld, "the child to be held");
      expect(told()).toEqual([]);
      publisher.speakSoon();
      expect(told()).toEqual([]); // what is being written now comes first
      if (stops) publisher.stop();
      await process.whenClosed;
      expect(told().map(({ params: { seq } }) => seq)).toEqual(
        stops ? [] : Array.from({ length: process.log.closed!.seq }, (_, index) => index + 1),
      );
    }
  });

  test("with little room it waits its turn and skips nothing", async () => {
    await using backend = localBackend();
    const { outbox, told, transport, drain } = connection(2);
    const process = backend.start(shell("seq 300000"));
    new EventPublisher(process, 0, outbox, () => {});
    await untilTrue(() => transport.isFull, "a full outbox");
    expect(told()).toHaveLength(2);
    while (process.log.closed === null || told().at(-1)?.method !== "process/closed") {
      drain();
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    expect(told().map(({ params }) => params.seq)).toEqual(told().map((_, index) => index + 1));
    const text = told().map(({ params }) => atob(params.chunk ?? "")).join("");
    expect(text.split("\n").length).toBe(300_001);
  });

  test("several processes that flood one slow connection all get their share", async () => {
    await using backend = localBackend();
    const { outbox, told, transport, drain } = connection(3);
    const all = Array.from({ length: 6 }, (_, n) => backend.start(shell("yes", { processId: `flood ${n}` })));
    for (const process of all) new EventPublisher(process, 0, outbox, () => {});
    await untilTrue(() => all.every(({ log }) => log.isHeld), "all of them to be held");
    expect(transport.isFull).toBe(true);
    for (let n = 0; n < 12; n++) drain();
    for (const { processId } of all) {
      expect(told().filter(({ params }) => params.processId === processId).length).toBeGreaterThan(3);
    }
  });

  test("one whose listener cannot hear of a gap stops before it, and says so", () => {
    const { outbox, told } = connection();
    const log = new EventLog();
    for (let n = 0; n < 20; n++) log.appendOutput("stdout", new Uint8Array(64 * 1024));
    const process = { processId: "p", log } as ConstructorParameters<typeof EventPublisher>[0];
    let gaps = 0;
    const listener = {
      agreed: NOTHING_AGREED,
      mayHearMore: () => true,
      cannotHearOfGap: () => void (gaps += 1),
    };
    EventPublisher.quiet(process, 1, outbox, () => expect.unreachable(), listener).speak();
    log.appendOutput("stdout", new Uint8Array(1));
    expect([told(), gaps, log.isHeld]).toEqual([[], 1, false]);
  });

  test("one whose listener has heard enough goes on when it is pumped", () => {
    const { outbox, told } = connection();
    const log = new EventLog();
    const process = { processId: "p", log } as ConstructorParameters<typeof EventPublisher>[0];
    let limit = 150;
    const listener = {
      agreed: NOTHING_AGREED,
      mayHearMore: (_: unknown, told: number) => told < limit,
      cannotHearOfGap: () => {},
    };
    const publisher = EventPublisher.quiet(process, 0, outbox, () => {}, listener);
    publisher.speak();
    for (let n = 0; n < 5; n++) log.appendOutput("stdout", new Uint8Array(100));
    expect(told()).toHaveLength(2);
    limit = 1_000;
    publisher.pump();
    expect(told()).toHaveLength(5);
  });

  test("one that is stopped says nothing more and holds nobody", () => {
    const { outbox, told, transport, drain } = connection(1);
    const log = new EventLog();
    const process = { processId: "p", log } as ConstructorParameters<typeof EventPublisher>[0];
    const publisher = new EventPublisher(process, 0, outbox, () => expect.unreachable());
    for (let n = 0; n < 8; n++) log.appendOutput("stdout", new Uint8Array(64 * 1024));
    expect([log.isHeld, told().length, transport.isFull]).toEqual([true, 1, true]);
    publisher.stop();
    expect(log.isHeld).toBe(false);
    drain();
    log.appendExited(0, false);
    log.appendClosed();
    expect(told()).toHaveLength(1);
  });
});

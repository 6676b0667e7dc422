import { describe, expect, test } from "bun:test";
import { Outbox, type Producer } from "../../lib/rpc/outbox.ts";
import { ManualTransport } from "../support/manual_transport.ts";

/** Always has more to say, and says it while there is room. */
class Chatterbox implements Producer {
  said = 0;

  constructor(private readonly name: string, private readonly outbox: Outbox) {}

  pump(): void {
    while (!this.outbox.isFull) {
      this.said += 1;
      this.outbox.put(this.name);
    }
    this.outbox.waitForRoom(this);
  }
}

function open(room: number) {
  const transport = new ManualTransport();
  transport.drain(room);
  return { transport, outbox: new Outbox(transport) };
}

describe("Outbox", () => {
  test("those who fill it again wait behind those who had no turn, so that nobody starves", () => {
    const { transport, outbox } = open(10);
    const all = ["a", "b", "c", "d"].map((name) => new Chatterbox(name, outbox));
    for (const producer of all) producer.pump();
    for (let round = 0; round < 8; round++) {
      transport.drain();
      outbox.drained();
    }
    expect(all.map(({ said }) => said)).toEqual([30, 20, 20, 20]);
  });

  test("whoever waits is pumped once for each time that there is room, the longest waiting first", () => {
    const { transport, outbox } = open(0);
    const pumped: string[] = [];
    const producer = (name: string): Producer => ({ pump: () => void pumped.push(name) });
    const [one, two] = [producer("one"), producer("two")];
    for (const waiting of [one, two, one]) outbox.waitForRoom(waiting);
    transport.drain(5);
    outbox.drained();
    outbox.drained();
    expect(pumped).toEqual(["one", "two"]);
  });

  test("nobody is pumped while there is no room", () => {
    const { outbox } = open(0);
    outbox.waitForRoom({ pump: () => expect.unreachable() });
    outbox.drained();
  });

  test("one that is forgotten during another's turn gets none", () => {
    const { transport, outbox } = open(0);
    const gone: Producer = { pump: () => expect.unreachable() };
    outbox.waitForRoom({ pump: () => outbox.forget(gone) });
    outbox.waitForRoom(gone);
    transport.drain(5);
    outbox.drained();
  });
});

import { describe, expect, test } from "bun:test";
import { ServerSocket, type Socket } from "../../lib/transport/server_socket.ts";

const MEGA = 1024 * 1024;

/** A socket whose far side takes nothing until the test says so. */
class StuckSocket implements Socket {
  buffered = 0;
  readonly calls: string[] = [];
  readonly sent: number[] = [];

  send(message: string): number {
    this.sent.push(message.length);
    this.buffered += message.length;
    return -1;
  }

  getBufferedAmount(): number {
    return this.buffered;
  }

  ping(): number {
    this.calls.push("ping");
    return 1;
  }

  pause(): void {
    this.calls.push("pause");
  }

  resume(): void {
    this.calls.push("resume");
  }

  terminate(): void {
    this.calls.push("terminate");
  }
}

function served() {
  const socket = new StuckSocket();
  const transport = new ServerSocket(socket, "test");
  const told: string[] = [];
  const receiver = {
    message: (data: string | Uint8Array) => void told.push(`message ${data}`),
    heard() {},
    drained: () => void told.push("drained"),
    ended: (reason: string) => void told.push(`ended: ${reason}`),
  };
  return { socket, transport, told, receiver };
}

describe("ServerSocket", () => {
  test("is full above a MiB that is not taken, and has room again below a quarter of it", () => {
    const { socket, transport, told, receiver } = served();
    transport.receive(receiver);
    transport.send("x".repeat(MEGA));
    expect(transport.isFull).toBe(false);
    transport.send("x");
    expect([transport.isFull, transport.unsentBytes]).toEqual([true, MEGA + 1]);
    socket.buffered = MEGA / 4 + 1;
    transport.drained();
    expect([transport.isFull, told]).toEqual([true, []]);
    socket.buffered = MEGA / 4;
    transport.drained();
    transport.drained();
    expect([transport.isFull, told]).toEqual([false, ["drained"]]);
  });

  test("a large message goes in a turn of its own, and what is sent meanwhile goes after it", async () => {
    const { socket, transport, told, receiver } = served();
    transport.receive(receiver);
    const sent = [1, 5 * MEGA, 2, 3, 6 * MEGA, 4];
    for (const length of sent) transport.send("x".repeat(length));
    expect(socket.sent).toEqual([1]);
    expect([transport.isFull, transport.unsentBytes]).toEqual([true, sent.reduce((a, b) => a + b)]);
    const steps = new Set<number>();
    while (socket.sent.length < sent.length) {
      await new Promise((resolve) => setImmediate(resolve));
      steps.add(socket.sent.length);
    }
    expect(socket.sent).toEqual(sent);
    expect([...steps]).toEqual([1, 4, 6]); // with a turn before each, to join it
    expect([transport.isFull, told]).toEqual([true, []]);
    socket.buffered = 0;
    transport.drained();
    expect([transport.isFull, told]).toEqual([false, ["drained"]]);
    transport.send("x");
    expect(socket.sent).toHaveLength(7);
  });

  test("a large message that the far side takes at once leaves room again", async () => {
    const { socket, transport, told, receiver } = served();
    transport.receive(receiver);
    transport.send("x".repeat(5 * MEGA));
    const sending = socket.send.bind(socket);
    socket.send = (message) => {
      sending(message);
      socket.buffered = 0;
      return message.length;
    };
    while (socket.sent.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect([transport.isFull, told]).toEqual([false, ["drained"]]);
  });

  test("a large message that was not handed over ends with its socket", async () => {
    const { socket, transport, receiver } = served();
    transport.receive(receiver);
    transport.send("x".repeat(5 * MEGA));
    transport.closed("closed with 1006");
    for (let n = 0; n < 4; n++) await new Promise((resolve) => setImmediate(resolve));
    expect([socket.sent, transport.unsentBytes]).toEqual([[], 0]);
  });

  test("what came before its receiver is delivered first", () => {
    const { transport, told, receiver } = served();
    transport.received("one");
    transport.received("two");
    transport.receive(receiver);
    transport.received("three");
    expect(told).toEqual(["message one", "message two", "message three"]);
  });

  test("the end is the last thing that is told, and told once", () => {
    const { socket, transport, told, receiver } = served();
    transport.receive(receiver);
    transport.end();
    transport.end();
    transport.closed("closed with 1006");
    transport.received("late");
    expect(told).toEqual(["ended: ended by this side"]);
    expect(socket.calls).toEqual(["terminate"]);
  });

  test("once ended nothing is asked of the socket any more", () => {
    const { socket, transport, told, receiver } = served();
    transport.receive(receiver);
    transport.closed("closed with 1001");
    transport.send("late");
    transport.ping();
    transport.pause();
    transport.resume();
    transport.end();
    expect([socket.calls, socket.buffered, transport.unsentBytes]).toEqual([[], 0, 0]);
    expect(told).toEqual(["ended: closed with 1001"]);
  });
});

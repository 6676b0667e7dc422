import { describe, expect, test } from "bun:test";
import { ServerSocket, type Socket } from "../../lib/transport/server_socket.ts";

const MEGA = 1024 * 1024;

/** A socket whose far side takes nothing until the test says so. */
class StuckSocket implements Socket {
  buffered = 0;
  readonly calls: string[] = [];

  send(message: string): number {
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

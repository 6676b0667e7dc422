import type { Receiver, Transport } from "../rpc/transport.ts";

/** Above this much unsent, producers wait: enough to keep a fast link busy, little for 2,000 connections. */
const FULL_BYTES = 1024 * 1024;
/** They go on below this, so that a link that drains slowly does not wake them for every packet. */
const ROOM_BYTES = 256 * 1024;

/** The part of the runtime's socket that is used here. */
export interface Socket {
  send(message: string): number;
  getBufferedAmount(): number;
  ping(): number;
  pause(): void;
  resume(): void;
  terminate(): void;
}

type Told =
  | { readonly type: "message"; readonly data: string | Uint8Array }
  | { readonly type: "heard" };

/** One WebSocket of a server. The server's handlers below tell it what happens. */
export class ServerSocket implements Transport {
  #receiver: Receiver | null = null;
  #early: Told[] = [];
  #full = false;
  #ended = false;

  constructor(private readonly socket: Socket, readonly label: string) {}

  get isFull(): boolean {
    return this.#full;
  }

  get unsentBytes(): number {
    return this.#ended ? 0 : this.socket.getBufferedAmount();
  }

  send(message: string): void {
    if (this.#ended) return;
    // -1: taken, and more is waiting than the system would take. Only then is it worth asking how much.
    if (this.socket.send(message) === -1 && this.socket.getBufferedAmount() > FULL_BYTES) this.#full = true;
  }

  receive(receiver: Receiver): void {
    this.#receiver = receiver;
    for (const told of this.#early.splice(0)) {
      if (told.type === "message") receiver.message(told.data);
      else receiver.heard();
    }
  }

  pause(): void {
    if (!this.#ended) this.socket.pause();
  }

  resume(): void {
    if (!this.#ended) this.socket.resume();
  }

  ping(): void {
    if (!this.#ended) this.socket.ping();
  }

  end(): void {
    if (this.#ended) return;
    // Without a close frame, as the original does: the other side sees the connection go.
    this.socket.terminate();
    this.closed("ended by this side");
  }

  received(data: string | Uint8Array): void {
    if (this.#ended) return;
    if (this.#receiver === null) this.#early.push({ type: "message", data });
    else this.#receiver.message(data);
  }

  heard(): void {
    this.#receiver?.heard();
  }

  drained(): void {
    // Taking something is a sign of life, also when as much is on its way again the next time somebody looks.
    this.#receiver?.heard();
    if (!this.#full || this.socket.getBufferedAmount() > ROOM_BYTES) return;
    this.#full = false;
    this.#receiver?.drained();
  }

  closed(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#receiver?.ended(reason);
  }
}

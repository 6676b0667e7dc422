import type { Receiver, Transport } from "../rpc/transport.ts";
import { textPassed } from "./large_texts.ts";

/** Above this much unsent, producers wait: enough to keep a fast link busy, little for 2,000 connections. */
const FULL_BYTES = 1024 * 1024;
/** They go on below this, so that a link that drains slowly does not wake them for every packet. */
const ROOM_BYTES = 256 * 1024;
/**
 * A message from this on is sent in turns of its own: to join its pieces and to hand it over keep everybody waiting,
 * about a millisecond for 2 MiB each. A frame cannot be handed over in parts.
 */
const LARGE_CHARS = 4 * 1024 * 1024;

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
  /** A large message, and all that is to follow it. */
  #delayed: string[] = [];
  #delayedChars = 0;

  constructor(private readonly socket: Socket, readonly label: string) {}

  get isFull(): boolean {
    return this.#full;
  }

  get unsentBytes(): number {
    return this.#ended ? 0 : this.socket.getBufferedAmount() + this.#delayedChars;
  }

  send(message: string): void {
    if (this.#ended) return;
    if (this.#delayed.length === 0 && message.length < LARGE_CHARS) return this.#handOver(message);
    this.#delayed.push(message);
    this.#delayedChars += message.length;
    this.#full = true;
    if (this.#delayed.length === 1) setImmediate(() => this.#join());
  }

  /** Looking at one character makes the runtime join the pieces. */
  #join(): void {
    this.#delayed[0]?.charCodeAt(0);
    setImmediate(() => this.#sendDelayed());
  }

  /** The large one that comes first, and the small ones behind it. */
  #sendDelayed(): void {
    if (this.#ended) return;
    do {
      const message = this.#delayed.shift()!;
      this.#delayedChars -= message.length;
      this.#handOver(message);
    } while (this.#delayed.length > 0 && this.#delayed[0]!.length < LARGE_CHARS);
    if (this.#delayed.length > 0) setImmediate(() => this.#join());
    else this.#lookForRoom();
  }

  #handOver(message: string): void {
    // -1: taken, and more is waiting than the system would take. Only then is it worth asking how much.
    if (this.socket.send(message) === -1 && this.socket.getBufferedAmount() > FULL_BYTES) this.#full = true;
    textPassed(message.length);
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
    textPassed(data.length);
  }

  heard(): void {
    this.#receiver?.heard();
  }

  drained(): void {
    // Taking something is a sign of life, also when as much is on its way again the next time somebody looks.
    this.#receiver?.heard();
    this.#lookForRoom();
  }

  #lookForRoom(): void {
    if (!this.#full || this.#delayed.length > 0 || this.socket.getBufferedAmount() > ROOM_BYTES) return;
    this.#full = false;
    this.#receiver?.drained();
  }

  closed(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#delayed = [];
    this.#delayedChars = 0;
    this.#receiver?.ended(reason);
  }
}

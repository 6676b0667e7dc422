/**
 * Carries whole text messages both ways, in order, until one side ends it. Four of them fulfil this: a server's
 * socket, a client's socket, lines over stdio, and a pair in memory.
 */
export interface Transport {
  /** What the other end is called in messages: `exec-server websocket 127.0.0.1:4711`. */
  readonly label: string;
  /** Takes one message; it never waits and never refuses, so look at `isFull` before. Nothing happens once ended. */
  send(message: string): void;
  /** True while so much is on its way that producers should wait for `drained`. */
  readonly isFull: boolean;
  /** Bytes that the other side has not taken yet. */
  readonly unsentBytes: number;
  /** Whose messages these are from now on. One receiver only; what came before is delivered first. */
  receive(receiver: Receiver): void;
  /** No message is delivered while paused; the sender is held back. An end is noticed only after `resume`. */
  pause(): void;
  resume(): void;
  /** Asks for a sign of life, where the carrier has one; the answer comes as `heard`. */
  ping(): void;
  /** Ends it at once; what was not sent is lost. `ended` is told to the receiver. */
  end(): void;
}

export interface Receiver {
  /** A message; bytes where the carrier did not look whether they are text. */
  message(data: string | Uint8Array): void;
  /** Any sign of life, messages included. */
  heard(): void;
  /** There is room again after `isFull`. */
  drained(): void;
  /** The last thing that is told. */
  ended(reason: string): void;
}

import { ProcessError } from "../process_error.ts";
import { StdinLedger } from "../stdin_ledger.ts";
import type { WriteStatus } from "../backend.ts";
import type { ChildStdin } from "./child.ts";

/** How much is accepted ahead of a child that does not read: the protocol's count, and a bound in bytes. */
const QUEUED_CHUNKS = 128;
const QUEUED_BYTES = 16 * 1024 * 1024;

/** In the place of bytes: the end of input. */
const FINISH = Symbol("end of input");

interface Waiter {
  readonly bytes: Uint8Array | typeof FINISH;
  readonly writeId: string;
  readonly settle: { resolve(status: WriteStatus): void; reject(error: Error): void };
}

/**
 * One process's input: accepts in order, writes in order, writes each id once. A full queue makes the writer
 * wait, and nobody else.
 */
export class StdinQueue {
  readonly #ledger = new StdinLedger();
  readonly #accepted: (Uint8Array | typeof FINISH)[] = [];
  #acceptedBytes = 0;
  #waiting: Waiter[] = [];
  #state: "open" | "ended" | "gone" = "open";
  #writing = false;

  #closed = false;

  constructor(private readonly stdin: ChildStdin, private readonly isTerminal: boolean) {}

  /** Whoever gives up before there was room has written nothing. */
  write(bytes: Uint8Array, writeId: string, givenUp?: AbortSignal): WriteStatus | Promise<WriteStatus> {
    return this.#put(bytes, writeId, givenUp);
  }

  /** The child reads an end of input after everything accepted so far. */
  close(writeId: string, givenUp?: AbortSignal): WriteStatus | Promise<WriteStatus> {
    return this.#put(FINISH, writeId, givenUp);
  }

  #put(
    bytes: Uint8Array | typeof FINISH,
    writeId: string,
    givenUp?: AbortSignal,
  ): WriteStatus | Promise<WriteStatus> {
    if (this.#ledger.has(writeId)) return "accepted";
    if (this.#state === "gone") throw writerGone();
    if (this.#closed) return "stdinClosed";
    // A terminal has no end of input, only a key for it.
    if (bytes === FINISH) this.#closed = !this.isTerminal;
    if (this.#waiting.length === 0 && this.#hasRoom()) return this.#accept(bytes, writeId);
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { bytes, writeId, settle: { resolve, reject } };
      this.#waiting.push(waiter);
      givenUp?.addEventListener("abort", () => this.#withdraw(waiter), { once: true });
    });
  }

  #withdraw(waiter: Waiter): void {
    const place = this.#waiting.indexOf(waiter);
    if (place === -1) return; // accepted meanwhile
    this.#waiting.splice(place, 1);
    if (waiter.bytes === FINISH) this.#closed = false;
    waiter.settle.reject(new ProcessError("stdin", "the write was given up"));
  }

  /** The child is gone: what is written from now on is accepted and vanishes. */
  end(): void {
    if (this.#state !== "open") return;
    this.#state = "ended";
    this.#forgetQueue();
    this.stdin.end();
    this.#admit();
  }

  /** The process was ended by force: writing is an error from now on. */
  cut(): void {
    if (this.#state === "open") this.stdin.end();
    this.#state = "gone";
    this.#forgetQueue();
    for (const { settle } of this.#waiting.splice(0)) settle.reject(writerGone());
  }

  #hasRoom(): boolean {
    if (this.#accepted.length === 0) return true;
    return this.#accepted.length < QUEUED_CHUNKS && this.#acceptedBytes < QUEUED_BYTES;
  }

  #accept(bytes: Uint8Array | typeof FINISH, writeId: string): WriteStatus {
    this.#ledger.accept(writeId);
    if (this.#state !== "open" || (bytes !== FINISH && bytes.length === 0)) return "accepted";
    this.#accepted.push(bytes);
    this.#acceptedBytes += bytes === FINISH ? 0 : bytes.length;
    if (!this.#writing) void this.#writeAll();
    return "accepted";
  }

  async #writeAll(): Promise<void> {
    this.#writing = true;
    for (let bytes = this.#take(); bytes !== undefined; bytes = this.#take()) {
      this.#admit();
      if (bytes === FINISH) this.stdin.finish();
      else await this.stdin.write(bytes);
    }
    this.#writing = false;
  }

  #take(): Uint8Array | typeof FINISH | undefined {
    const bytes = this.#accepted.shift();
    if (bytes !== undefined && bytes !== FINISH) this.#acceptedBytes -= bytes.length;
    return bytes;
  }

  #admit(): void {
    while (this.#waiting.length > 0 && this.#hasRoom()) {
      const { bytes, writeId, settle } = this.#waiting.shift()!;
      // The same id may have been accepted while this one waited.
      settle.resolve(this.#ledger.has(writeId) ? "accepted" : this.#accept(bytes, writeId));
    }
  }

  #forgetQueue(): void {
    this.#accepted.length = 0;
    this.#acceptedBytes = 0;
  }
}

function writerGone(): ProcessError {
  return new ProcessError("stdin", "failed to write to process stdin");
}

import type { ProcessHandle, WriteStatus } from "./backend.ts";

/** Small enough for every server, large enough that a message costs little. */
const PIECE_BYTES = 64 * 1024;
/** Writes that may wait for their answers: enough to fill a long link, little enough to hold in memory. */
const AHEAD = 16;

/**
 * The one writer of a process's input: numbers the writes, cuts what is large, and keeps a few on their way so that a far
 * process is fed as fast as its link allows. What is written must not be changed before it is accepted.
 */
export class Input {
  #lastId = 0;
  #onTheirWay = 0;
  #status: WriteStatus = "accepted";
  #error: Error | null = null;
  #waiters: (() => void)[] = [];

  constructor(private readonly process: ProcessHandle) {}

  /**
   * Resolves when there is room for more; `stdinClosed` when nobody will read it. Rejects when an earlier write failed.
   * One call at a time: order is the order of the calls.
   */
  async write(bytes: Uint8Array): Promise<WriteStatus> {
    for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
      if (this.#status !== "accepted" || this.#error !== null) break;
      this.#send(this.process.write(bytes.subarray(start, start + PIECE_BYTES), this.#nextId()));
      await this.#until(() => this.#onTheirWay < AHEAD);
    }
    return this.#outcome();
  }

  /** Ends the input after everything written so far. Resolves when all of it is accepted. */
  async end(): Promise<WriteStatus> {
    if (this.#status === "accepted" && this.#error === null) {
      this.#send(this.process.closeInput(this.#nextId()));
    }
    return await this.settled();
  }

  /** Resolves when everything written so far is accepted. */
  async settled(): Promise<WriteStatus> {
    await this.#until(() => this.#onTheirWay === 0);
    return this.#outcome();
  }

  #nextId(): string {
    this.#lastId += 1;
    return String(this.#lastId);
  }

  #send(answer: WriteStatus | Promise<WriteStatus>): void {
    if (!(answer instanceof Promise)) {
      this.#note(answer);
      return;
    }
    this.#onTheirWay += 1;
    answer.then((status) => this.#note(status), (error) => (this.#error ??= error)).finally(() => {
      this.#onTheirWay -= 1;
      for (const wake of this.#waiters.splice(0)) wake();
    });
  }

  #note(status: WriteStatus): void {
    if (status !== "accepted") this.#status = status;
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds() && this.#error === null) {
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  #outcome(): WriteStatus {
    if (this.#error !== null) throw this.#error;
    return this.#status;
  }
}

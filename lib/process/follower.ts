import { sizeOf } from "./log_window.ts";
import type { FailedEvent, ProcessEvent } from "./process_event.ts";

/** Events that were not in memory, and how many bytes were printed up to the cursor that they follow. */
export interface Fetched {
  readonly events: readonly ProcessEvent[];
  readonly takenBytes: number;
  /** The memory that all of them are in, where it is theirs alone. */
  readonly memory?: Uint8Array<ArrayBuffer>;
}

/** What a follower sees of its log. */
export interface FollowedLog {
  readonly nextSeq: number;
  /** The oldest number in memory. */
  readonly firstSeq: number;
  /** The first event in memory after a cursor. */
  next(seq: number): ProcessEvent | null;
  /** What comes after a cursor whose next event is not in memory. `taken` is null where the follower does not know. */
  fetch(afterSeq: number, taken: number | null): Fetched | Promise<Fetched>;
  /** How many bytes were printed up to a number; a little less where that is not in memory. */
  bytesUpTo(seq: number): number;
  failed(): FailedEvent | null;
  moved(): void;
  left(): void;
}

/** One live reader's place in a log. */
export class Follower {
  #takenBytes: number;
  /** Whether that is exact: it is not for one that began where nobody knows. */
  #knowsTaken: boolean;
  #fetched: readonly ProcessEvent[] = [];
  #next = 0; // of those
  #state: "reading" | "fetching" | "left" = "reading";

  constructor(
    public cursor: number,
    readonly heldBytes: number,
    readonly wake: () => void,
    private readonly log: FollowedLog,
  ) {
    this.#takenBytes = log.bytesUpTo(cursor);
    this.#knowsTaken = this.#isInMemory;
  }

  get takenBytes(): number {
    return this.#takenBytes;
  }

  /** The next event, or null when there is none yet, or when it has to be fetched first: then it will be woken. */
  take(): ProcessEvent | null {
    const event = this.#nextEvent();
    if (event === null) return null;
    this.cursor = event.seq;
    this.#takenBytes += sizeOf(event);
    this.log.moved();
    return event;
  }

  /** Why there will be no more events, once all before it are taken; null while there may be. */
  failure(): FailedEvent | null {
    return this.cursor + 1 >= this.log.nextSeq ? this.log.failed() : null;
  }

  /** Takes everything up to and with `seq` unseen: somebody else is known to have it. */
  skipTo(seq: number): void {
    const to = Math.min(seq, this.log.nextSeq - 1);
    if (to > this.cursor) {
      this.cursor = to;
      this.#takenBytes = this.log.bytesUpTo(to);
      this.#knowsTaken = this.#isInMemory;
    }
    this.log.moved();
  }

  /** Reads no more, and holds the writer back no more. */
  leave(): void {
    this.#state = "left";
    this.#fetched = [];
    this.log.left();
  }

  get #isInMemory(): boolean {
    return this.cursor + 1 >= this.log.firstSeq;
  }

  #nextEvent(): ProcessEvent | null {
    const ready = this.#nextFetched();
    if (ready !== null || this.#state !== "reading") return ready;
    if (this.#isInMemory) return this.log.next(this.cursor);
    // Nothing was printed before the first event.
    const taken = this.cursor === 0 ? 0 : this.#knowsTaken ? this.#takenBytes : null;
    const fetched = this.log.fetch(this.cursor, taken);
    if (!(fetched instanceof Promise)) {
      this.#keep(fetched);
      return this.#nextFetched();
    }
    this.#state = "fetching";
    void fetched.then((later) => {
      if (this.#state === "left") return;
      this.#state = "reading";
      this.#keep(later);
      this.wake();
    });
    return null;
  }

  #keep({ events, takenBytes }: Fetched): void {
    [this.#fetched, this.#next] = [events, 0];
    this.#takenBytes = takenBytes;
    this.#knowsTaken = true;
  }

  #nextFetched(): ProcessEvent | null {
    const event = this.#fetched[this.#next];
    if (event === undefined) return null;
    this.#next += 1;
    if (this.#next === this.#fetched.length) [this.#fetched, this.#next] = [[], 0];
    return event;
  }
}

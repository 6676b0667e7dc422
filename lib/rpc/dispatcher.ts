import type { RequestId } from "../wire/envelope.ts";
import type { Outbox, Producer } from "./outbox.ts";

/** Requests of one connection that are worked on at the same time. */
export const EXECUTING_REQUESTS = 128;
/** Requests that only wait for something to happen; they cost memory and nothing else. */
export const WAITING_REQUESTS = 2_048;
/** Above this much that was sent and not begun, the connection is read no further. */
const QUEUED_REQUESTS = 8_192;
const QUEUED_BYTES = 128 * 1024 * 1024;
/** The longest that one connection keeps the program from looking after the others. */
const SLICE_MS = 2;
/** How long the last requests of a peer that has left may keep the program from looking after the others. */
const LAST_REQUESTS_MS = 20;

/** `size` is what it costs to keep it: the length of its text. */
export type Request =
  | { readonly id: RequestId; readonly method: string; readonly params: unknown; readonly size: number }
  /** Not understood; its answer waits its turn like any other, so that a flood of nonsense is bounded too. */
  | { readonly id: RequestId; readonly problem: string; readonly size: number };

/** Something that is only told: it takes its turn among the requests, and there is no answer. */
export interface Notice {
  tell(): void;
  readonly size: number;
}

/** In the place of what has left the queue. */
const BEGUN: Notice = { tell: () => {}, size: 0 };

/** Puts the answer into words; called when there is room for it, for it may be large. */
export type Answer = () => string;

export interface Answerer {
  /** A promise for an answer that takes a while; it never rejects. */
  answer(request: Request): Answer | Promise<Answer>;
  /** True for requests that wait for something else than work: they give their place to others. */
  mayWait(request: Request): boolean;
}

/**
 * Runs the requests of one connection: begun in the order they came, so that calls for one process keep
 * theirs; ended in any order, so that a long poll delays nobody. Bounded in number and in bytes.
 */
export class Dispatcher implements Producer {
  #queue: (Request | Notice)[] = [];
  #head = 0;
  #ready: Answer[] = [];
  #bytes = 0; // of everything not answered yet
  #executing = 0;
  #waiting = 0;
  #scheduled = false;
  #ended = false;
  #hungUp = false;
  #tellIdle: () => void = () => {};
  #paused = false;
  #busyMs = 0;
  #idleSince = 0;

  constructor(
    private readonly outbox: Outbox,
    private readonly answerer: Answerer,
    private readonly limit: number,
    private readonly flow: { pause(): void; resume(): void },
  ) {}

  /** True while so much is unanswered that nothing more is read. */
  get isPaused(): boolean {
    return this.#paused;
  }

  receive(request: Request | Notice): void {
    this.#bytes += request.size;
    if (this.#queued() === 0 && this.#hasPlace() && this.#hasTime()) this.#begin(request);
    else this.#queue.push(request);
    this.#schedule();
    this.#adjustFlow();
  }

  /** There is room in the outbox: answers first, then what waited for it to begin. */
  pump(): void {
    this.#sendReady();
    this.#schedule();
  }

  /**
   * The connection is over, and what waits for something is given up. Where the other side has left, what it asked
   * last still begins, as far as a moment's work and the usual number go; where we hang up, it is dropped.
   */
  end(queued: "finish" | "drop"): void {
    const deadline = performance.now() + LAST_REQUESTS_MS;
    const mayBegin = () => this.#executing < this.limit && performance.now() < deadline;
    while (queued === "finish" && this.#queued() > 0 && mayBegin()) {
      const next = this.#next();
      if ("tell" in next) {
        next.tell();
        continue;
      }
      const answer = this.answerer.answer(next);
      if (typeof answer !== "function") this.#await(next, answer);
      else if (!this.outbox.isFull) this.outbox.put(answer());
    }
    this.#ended = true;
    this.#hungUp = queued === "drop";
    this.#queue.length = 0;
    this.#head = 0;
    this.#ready.length = 0;
    this.outbox.forget(this);
  }

  /** Resolves when no answer is coming any more. To be asked after the end. */
  whenIdle(): Promise<void> {
    if (this.#executing + this.#waiting === 0) return Promise.resolve();
    return new Promise((resolve) => (this.#tellIdle = resolve));
  }

  #sendReady(): void {
    while (this.#ready.length > 0 && !this.outbox.isFull && this.#hasTime()) this.#send(this.#ready.shift()!);
  }

  /** Large answers take their time to be put into words, and that counts like the work itself. */
  #send(answer: Answer): void {
    const began = performance.now();
    this.outbox.put(answer());
    this.#wasBusySince(began);
  }

  #wasBusySince(began: number): void {
    this.#idleSince = performance.now();
    this.#busyMs += this.#idleSince - began;
  }

  #queued(): number {
    return this.#queue.length - this.#head;
  }

  #hasPlace(): boolean {
    return this.#executing < this.limit && !this.outbox.isFull;
  }

  /** Whether this connection may go on before the others are looked after; time spent idle is given back. */
  #hasTime(): boolean {
    const now = performance.now();
    this.#busyMs = Math.max(0, this.#busyMs - (now - this.#idleSince));
    this.#idleSince = now;
    return this.#busyMs < SLICE_MS;
  }

  #schedule(): void {
    if (this.#scheduled || this.#ended || this.#queued() + this.#ready.length === 0) return;
    if (this.outbox.isFull) return this.outbox.waitForRoom(this);
    const mayBegin = this.#queued() > 0 && this.#executing < this.limit;
    if (!mayBegin && this.#ready.length === 0) return; // an answer will call again
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#busyMs = 0;
      // The outbox may have been full and emptied since, and nobody told: we were not waiting for it.
      this.#sendReady();
      while (this.#queued() > 0 && this.#hasPlace() && this.#hasTime()) this.#begin(this.#next());
      this.#schedule();
      this.#adjustFlow();
    });
  }

  #next(): Request | Notice {
    const request = this.#queue[this.#head]!;
    this.#queue[this.#head] = BEGUN; // what it carries goes with it, its place when the array is cut
    this.#head += 1;
    if (this.#head === this.#queue.length || this.#head > 1_024) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    return request;
  }

  #begin(request: Request | Notice): void {
    const began = performance.now();
    if ("tell" in request) {
      this.#bytes -= request.size;
      request.tell();
    } else {
      const answer = this.answerer.answer(request);
      if (typeof answer === "function") {
        this.#bytes -= request.size;
        this.outbox.put(answer());
      } else {
        this.#await(request, answer);
      }
    }
    this.#wasBusySince(began);
  }

  #await(request: Request, coming: Promise<Answer>): void {
    const waits = this.#waiting < WAITING_REQUESTS && this.answerer.mayWait(request);
    const { size } = request; // nothing else of it is needed any more, and 2,000 long writes may wait here
    if (waits) this.#waiting += 1;
    else this.#executing += 1;
    void coming.then((answer) => {
      if (waits) this.#waiting -= 1;
      else this.#executing -= 1;
      this.#bytes -= size;
      if (this.#executing + this.#waiting === 0) this.#tellIdle();
      if (this.#ended) {
        // A pipe whose other end says no more may still carry it; a socket that is gone does not.
        if (!this.#hungUp && !this.outbox.isFull) this.outbox.put(answer());
        return;
      }
      if (this.#ready.length > 0 || this.outbox.isFull || !this.#hasTime()) this.#ready.push(answer);
      else this.#send(answer);
      this.#schedule();
      this.#adjustFlow();
    });
  }

  #adjustFlow(): void {
    const full = this.#queued() > QUEUED_REQUESTS || this.#bytes > QUEUED_BYTES;
    if (full === this.#paused || this.#ended) return;
    this.#paused = full;
    if (full) this.flow.pause();
    else this.flow.resume();
  }
}

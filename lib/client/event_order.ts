import type { ProcessEvent } from "../process/process_event.ts";
import type { ToldEvent, ToldExit } from "./wire_events.ts";

/** How many events may wait for one that was sent before them and comes later: Codex's numbers. */
const WAITING_EVENTS = 256;
const WAITING_BYTES = 1024 * 1024;
/** Servers cut output at 64 KiB or less; one above this is no event of theirs. */
const EVENT_BYTES = 1024 * 1024;
/**
 * While a client catches up, everything that a server pushes meanwhile waits for what was missed: two full windows of
 * `flow.v1`, in chunks of any size.
 */
const CATCH_UP_EVENTS = 128 * 1024;
const CATCH_UP_BYTES = 8 * 1024 * 1024;

/** This process can no longer be told in order. */
export class OrderError extends Error {
  override readonly name = "OrderError";
}

/** Brings the events of one process into order: Codex's server numbers them right and sends them as it comes. */
export class EventOrder {
  #published = 0;
  #exitPublished = false;
  #over = false;
  readonly #waiting = new Map<number, ToldEvent>();
  #waitingBytes = 0;
  #waitingGaps = 0;
  /** Set while events that came from elsewhere are still to be put in front of the waiting ones. */
  isCatchingUp = false;

  constructor(private readonly publish: (event: ProcessEvent) => void) {}

  get lastPublished(): number {
    return this.#published;
  }

  get exitPublished(): boolean {
    return this.#exitPublished;
  }

  /** Came early, and waits, by the first number that it tells of. */
  get waiting(): ReadonlyMap<number, ToldEvent> {
    return this.#waiting;
  }

  /** The exit that is next to be published and cannot be, because the server did not say all about it. */
  get unfinishedExit(): ToldExit | null {
    const next = this.#waiting.get(this.#published + 1);
    return next?.type === "exited" && next.sandboxDenied === null ? next : null;
  }

  /** Publishes it, and what waited for it, if it is next. One told before changes nothing. Throws an OrderError. */
  insert(event: ToldEvent): void {
    const first = firstOf(event);
    if (this.#over || event.seq <= this.#published || this.#waiting.has(first)) return;
    const size = sizeOf(event);
    if (size > EVENT_BYTES) throw new OrderError(`process event exceeds ${EVENT_BYTES} bytes`);
    if (first <= this.#published + 1) {
      if (isComplete(event)) this.#publish(event);
      else this.#keep(event, size);
      if (this.#waiting.size > 0) this.#publishWaiting();
      return;
    }
    this.#keep(event, size);
    this.#refuseTooMany();
  }

  /** What was missing about an exit, from somebody who asked. */
  completeExit(seq: number, sandboxDenied: boolean): void {
    const exit = this.#waiting.get(seq);
    if (exit?.type !== "exited") return;
    this.#waiting.set(seq, { ...exit, sandboxDenied: sandboxDenied || exit.sandboxDenied === true });
    this.#publishWaiting();
  }

  /** Takes no more events. */
  end(): void {
    this.#over = true;
    this.#waiting.clear();
  }

  #keep(event: ToldEvent, size: number): void {
    this.#waiting.set(firstOf(event), event);
    this.#waitingBytes += size;
    if (event.type === "gap") this.#waitingGaps += 1;
  }

  #refuseTooMany(): void {
    const [events, bytes] = this.isCatchingUp
      ? [CATCH_UP_EVENTS, CATCH_UP_BYTES]
      : [WAITING_EVENTS, WAITING_BYTES];
    if (this.#waiting.size <= events && this.#waitingBytes <= bytes) return;
    // Only an answer is missing, not an event: better without it than without the rest.
    const exit = this.unfinishedExit;
    if (exit !== null) return this.completeExit(exit.seq, false);
    const exceeded = this.#waiting.size > events ? `${events} entries` : `${bytes} bytes`;
    throw new OrderError(`process event reorder buffer exceeds ${exceeded}`);
  }

  #publishWaiting(): void {
    for (let next = this.#nextWaiting(); next !== undefined;) {
      if (!isComplete(next)) return;
      this.#waiting.delete(firstOf(next));
      this.#waitingBytes -= sizeOf(next);
      if (next.type === "gap") this.#waitingGaps -= 1;
      this.#publish(next);
      next = this.#nextWaiting();
    }
  }

  #nextWaiting(): ToldEvent | undefined {
    const next = this.#published + 1;
    const exact = this.#waiting.get(next);
    if (exact !== undefined || this.#waitingGaps === 0) return exact;
    // Some of a gap may have been told in another place.
    for (const event of this.#waiting.values()) {
      if (event.type === "gap" && event.fromSeq < next && event.toSeq >= next) return event;
    }
    return undefined;
  }

  #publish(event: ProcessEvent): void {
    this.#published = event.seq;
    if (event.type === "exited") this.#exitPublished = true;
    if (event.type === "closed") this.end();
    this.publish(event);
  }
}

function isComplete(event: ToldEvent): event is ToldEvent & ProcessEvent {
  return event.type !== "exited" || event.sandboxDenied !== null;
}

/** A gap tells of many, and has the number of the last. */
export function firstOf(event: ToldEvent): number {
  return event.type === "gap" ? event.fromSeq : event.seq;
}

function sizeOf(event: ToldEvent): number {
  return event.type === "output" ? event.bytes.length : 0;
}

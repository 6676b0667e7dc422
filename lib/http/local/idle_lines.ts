import type { Clock, Timer } from "../../base/clock.ts";
import type { Line } from "./dial.ts";

/** To one place. Who makes more requests at once dials anew. */
const MAX_IDLE_IN_ONE_PLACE = 4;
/** In all. Each costs a descriptor here and a connection there. */
const MAX_IDLE = 16;

interface Idle {
  readonly place: string;
  readonly line: Line;
  readonly timer: Timer;
}

/**
 * Connections on which a request was answered to its end and another may follow. They belong to nobody: whatever
 * comes on one of them was asked for by nobody, and ends it. None keeps the program alive.
 */
export class IdleLines {
  /** The one that has rested longest is first. */
  #idle: Idle[] = [];
  #isClosed = false;

  constructor(private readonly clock: Clock) {}

  /** The one to this place that was used last, which is the least likely to have been given up there. */
  take(place: string): Line | null {
    const found = this.#idle.findLast((idle) => idle.place === place);
    if (found === undefined) return null;
    this.#forget(found);
    found.line.upstream.use();
    return found.line;
  }

  /** Keeps it so long at most, or ends it. It is not the giver's any more. */
  keep(place: string, line: Line, ms: number): void {
    const { upstream } = line;
    if (this.#isClosed || ms <= 0 || !upstream.isQuiet) return upstream.end(new Error("the request is over"));
    const idle: Idle = { place, line, timer: this.clock.after(ms, () => this.#end(idle)) };
    upstream.rest(() => this.#end(idle));
    this.#idle.push(idle);
    this.#makeRoom(place);
  }

  /** Ends all, and whatever is to be kept from now on. */
  close(): void {
    this.#isClosed = true;
    for (const idle of this.#idle.slice()) this.#end(idle);
  }

  #makeRoom(place: string): void {
    const inPlace = this.#idle.filter((idle) => idle.place === place);
    if (inPlace.length > MAX_IDLE_IN_ONE_PLACE) this.#end(inPlace[0]!);
    if (this.#idle.length > MAX_IDLE) this.#end(this.#idle[0]!);
  }

  #end(idle: Idle): void {
    this.#forget(idle);
    idle.line.upstream.end(new Error("not kept any longer"));
  }

  #forget(idle: Idle): void {
    idle.timer.cancel();
    this.#idle = this.#idle.filter((other) => other !== idle);
  }
}

import type { Clock, Timer } from "../base/clock.ts";
import type { Link } from "./link.ts";
import { PING_AFTER_MS } from "./link_keepalive.ts";

/**
 * Holds a server back that knows no `flow.v1`: the connection is not read while a reader of ours is too far behind. But it
 * is read while somebody waits for an answer, which stands behind the output; and it is read for a moment now and then,
 * because a connection that is never read looks the same alive and dead.
 */
export class ReadingPace {
  #link: Link | null = null;
  #state: "reading" | "paused" | "breathing" = "reading";
  #breath: Timer | null = null;

  constructor(private readonly clock: Clock, private readonly isBehind: () => boolean) {}

  /** The connection to pace from now on; null for none. */
  follow(link: Link | null): void {
    this.#breath?.cancel();
    this.#state = "reading";
    this.#link = link;
    this.adjust();
  }

  /** Something may have changed: a reader's place, or the calls that wait. */
  adjust(): void {
    const link = this.#link;
    if (link === null || link.isOver) return;
    const hold = this.isBehind() && !link.isAwaited;
    if (hold && this.#state === "reading") {
      this.#state = "paused";
      link.pause();
      this.#breath = this.clock.after(PING_AFTER_MS, () => this.#breathe(link));
    } else if (!hold && this.#state !== "reading") {
      this.#breath?.cancel();
      if (this.#state === "paused") link.resume();
      this.#state = "reading";
    }
  }

  /** The server was heard. */
  heard(): void {
    if (this.#state !== "breathing") return;
    this.#state = "reading";
    this.adjust();
  }

  #breathe(link: Link): void {
    this.#state = "breathing";
    link.resume();
    link.ping();
  }
}

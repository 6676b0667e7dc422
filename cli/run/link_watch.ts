import type { RunningCommand } from "./running_command.ts";
import type { Steering } from "./steering.ts";
import type { TimeLimits } from "./time_limits.ts";

/** One line for each loss, and one more for each time that a user would begin to wonder. */
const SAY_AGAIN_MS = 10_000;

/** Tells the user, the clock and the steering how it stands with the connection. Right here there is none. */
export class LinkWatch implements Disposable {
  isUp = true;
  #saidAt = -Infinity;
  readonly #unwatch: () => void;

  constructor(running: RunningCommand, steering: Steering, limits: TimeLimits) {
    const { notices, events, environment } = running;
    const tell = (event: Parameters<NonNullable<typeof events>["tell"]>[0]) => {
      events?.tell(event).catch(() => {});
    };
    this.#unwatch = environment.onLinkState((link) => {
      if (link.state === "recovering") {
        const isNew = this.isUp;
        this.isUp = false;
        limits.holdIdle();
        if (isNew || performance.now() - this.#saidAt > SAY_AGAIN_MS) {
          this.#saidAt = performance.now();
          notices.say(`connection lost, reconnecting (attempt ${link.attempt})`);
          notices.detail(link.cause);
          tell({ event: "reconnect", state: "lost", attempt: link.attempt, cause: link.cause });
        }
        if (isNew) steering.linkLost();
      } else if (link.state === "connected" && !this.isUp) {
        this.isUp = true;
        limits.printed();
        notices.say("connected again");
        tell({ event: "reconnect", state: "back" });
        steering.linkBack();
      }
    }) ?? (() => {});
  }

  [Symbol.dispose](): void {
    this.#unwatch();
  }
}

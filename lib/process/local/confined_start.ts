import type { StartOptions, TerminalSize } from "../backend.ts";
import { ProcessError } from "../process_error.ts";
import { nextStart, type StartEvent, type StartLife } from "../start_life.ts";
import { type Confine, isPassing, startRefusal } from "./confinement.ts";
import type { LocalProcess } from "./local_process.ts";
import { resolvedEnv } from "./resolved_start.ts";
import { spawnConfinedChild } from "./spawn_confined_child.ts";

/** Somebody may change the disk between the look at it, of which a confinement is made, and its mounts. */
const TRIES = 3;

/** A start that takes a while: what was asked for runs only once it is confined. */
export class ConfinedStart {
  #life: StartLife = { state: "starting" };
  readonly #cancelled = Promise.withResolvers<never>();
  #size: TerminalSize | null;
  #process: LocalProcess;

  /** `record`: makes the record of a process. Who has to try again begins with a fresh one. */
  constructor(private readonly options: StartOptions, private readonly record: () => LocalProcess) {
    this.#size = options.size;
    this.#process = record();
  }

  /** What there is of it so far. */
  get process(): LocalProcess {
    return this.#process;
  }

  /** Resolves once it runs. Rejects with a ProcessError, and then it never will, and its id means nothing. */
  async run(confine: Confine): Promise<LocalProcess> {
    try {
      await Promise.race([this.#begin(confine), this.#cancelled.promise]);
      return this.#process;
    } catch (error) {
      throw startRefusal(error);
    }
  }

  resize(size: TerminalSize): void {
    this.#size = size;
    this.process.resize(size);
  }

  /** Ends what there is of it, at once. */
  cancel(): void {
    this.#move("cancelled");
    this.process.killLeftovers();
    if (this.#isCancelled()) this.#cancelled.reject(this.#cancellation());
  }

  async #begin(confine: Confine): Promise<void> {
    for (let tries = 1;; tries++) {
      try {
        return await this.#try(confine);
      } catch (error) {
        if (tries < TRIES && isPassing(error) && !this.#isCancelled()) {
          await this.#process.whenClosed;
          if (this.#isCancelled()) throw this.#cancellation();
          this.#process = this.record();
          continue;
        }
        this.#move("failed");
        throw error;
      }
    }
  }

  async #try(confine: Confine): Promise<void> {
    const process = this.#process;
    // What it prints at once is kept for whoever waits for us.
    const hold = process.log.follow(0, () => {});
    try {
      const env = resolvedEnv(this.options);
      const confinement = await confine(env);
      if (this.#isCancelled()) throw this.#cancellation();
      const options = { ...this.options, size: this.#size };
      const { child, began } = spawnConfinedChild(options, env, confinement, process);
      process.adopt(child);
      await began.catch((error) => {
        process.killLeftovers();
        throw error;
      });
      this.#move("began");
      if (this.#isCancelled()) throw this.#cancellation();
    } finally {
      setImmediate(() => hold.leave());
    }
  }

  #isCancelled(): boolean {
    return this.#life.state === "cancelled";
  }

  #move(event: StartEvent): void {
    this.#life = nextStart(this.#life, event);
  }

  #cancellation(): ProcessError {
    return new ProcessError("cancelled", `process ${this.options.processId} start was cancelled`);
  }
}

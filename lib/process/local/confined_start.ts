import type { StartOptions, TerminalSize } from "../backend.ts";
import { ProcessError } from "../process_error.ts";
import { nextStart, type StartEvent, type StartLife } from "../start_life.ts";
import { type Confine, startRefusal } from "./confinement.ts";
import type { LocalProcess } from "./local_process.ts";
import { resolvedEnv } from "./resolved_start.ts";
import { spawnConfinedChild } from "./spawn_confined_child.ts";

/** A start that takes a while: what was asked for runs only once it is confined. */
export class ConfinedStart {
  #life: StartLife = { state: "starting" };
  readonly #cancelled = Promise.withResolvers<never>();
  #size: TerminalSize | null;

  constructor(private readonly options: StartOptions, readonly process: LocalProcess) {
    this.#size = options.size;
  }

  /** Resolves once it runs. Rejects with a ProcessError, and then it never will, and its id means nothing. */
  async run(confine: Confine): Promise<void> {
    // What it prints at once is kept for whoever waits for us.
    const hold = this.process.log.follow(0, () => {});
    try {
      await Promise.race([this.#begin(confine), this.#cancelled.promise]);
    } catch (error) {
      throw startRefusal(error);
    } finally {
      setImmediate(() => hold.leave());
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
    const env = resolvedEnv(this.options);
    const confinement = await confine(env);
    if (this.#isCancelled()) throw this.#cancellation();
    const options = { ...this.options, size: this.#size };
    const { child, began } = spawnConfinedChild(options, env, confinement, this.process);
    this.process.adopt(child);
    try {
      await began;
    } catch (error) {
      this.#move("failed");
      this.process.killLeftovers();
      throw error;
    }
    this.#move("began");
    if (this.#isCancelled()) throw this.#cancellation();
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

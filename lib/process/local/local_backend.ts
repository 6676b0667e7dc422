import type { Clock, Timer } from "../../base/clock.ts";
import type { Abilities, Backend, StartOptions } from "../backend.ts";
import { ProcessError } from "../process_error.ts";
import { LocalProcess } from "./local_process.ts";
import { spawnChild } from "./spawn_child.ts";

/** How long a closed process stays readable: longer than a client takes to come back. */
export const RETENTION_MS = 80_000;

interface Entry {
  readonly process: LocalProcess;
  forgetting: Timer | null;
}

/** Processes on this machine, by id. Whoever disposes it ends them all. */
export class LocalBackend implements Backend {
  readonly #entries = new Map<string, Entry>();

  constructor(
    private readonly clock: Clock,
    private readonly onForgotten: (processId: string) => void = () => {},
  ) {}

  abilities(): Promise<Abilities> {
    return Promise.resolve({ terminal: true, closeInput: true, signals: true });
  }

  start(options: StartOptions): LocalProcess {
    const { processId } = options;
    if (this.#entries.has(processId)) {
      throw new ProcessError("duplicate", `process ${processId} already exists`);
    }
    const process = new LocalProcess(options, this.clock);
    process.adopt(spawnChild(options, process));
    const entry: Entry = { process, forgetting: null };
    this.#entries.set(processId, entry);
    void process.whenClosed.then(() => {
      if (this.#entries.get(processId) !== entry) return; // all were ended meanwhile
      entry.forgetting = this.clock.after(RETENTION_MS, () => {
        this.#entries.delete(processId);
        // Members of its group that let go of its output still run; nobody can name them any more.
        process.killLeftovers();
        this.onForgotten(processId);
      });
    });
    return process;
  }

  get(processId: string): LocalProcess | undefined {
    return this.#entries.get(processId)?.process;
  }

  processes(): LocalProcess[] {
    return [...this.#entries.values()].map((entry) => entry.process);
  }

  /** Kills every process and what is left of those that ended, at once. */
  endAll(): void {
    for (const { process, forgetting } of this.#entries.values()) {
      forgetting?.cancel();
      process.killLeftovers();
    }
    this.#entries.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    const closing = this.processes().map((process) => process.whenClosed);
    this.endAll();
    return Promise.all(closing).then(() => {});
  }
}

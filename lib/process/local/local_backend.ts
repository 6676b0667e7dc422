import type { Clock, Timer } from "../../base/clock.ts";
import type { Abilities, Backend, StartOptions } from "../backend.ts";
import { ProcessError } from "../process_error.ts";
import type { Spools } from "../spool.ts";
import { ConfinedStart } from "./confined_start.ts";
import type { Confine, SandboxedStart } from "./confinement.ts";
import { LocalProcess } from "./local_process.ts";
import { spawnChild } from "./spawn_child.ts";
import { requireLimits } from "./tree/require_limits.ts";
import { quickTrees, type TreeSupport } from "./tree/tree_support.ts";

/** How long a closed process stays readable: longer than a client takes to come back. */
export const RETENTION_MS = 80_000;

type Entry =
  | { readonly state: "starting"; readonly start: ConfinedStart }
  | { readonly state: "started"; readonly process: LocalProcess; forgetting: Timer | null };

/** Processes on this machine, by id. Whoever disposes it ends them all. */
export class LocalBackend implements Backend {
  readonly #entries = new Map<string, Entry>();

  constructor(
    private readonly clock: Clock,
    private readonly onForgotten: (processId: string) => void = () => {},
    private readonly spools: Spools | null = null,
    private readonly trees: () => TreeSupport = quickTrees,
    /** How long one stays readable once it has closed. */
    private readonly retentionMs: (processId: string) => number = () => RETENTION_MS,
  ) {}

  abilities(): Promise<Abilities> {
    const { tier, limits, failing } = this.trees();
    return Promise.resolve({
      ...{ terminal: true, closeInput: true, signals: true },
      trees: { tier, limits, failing },
    });
  }

  start(options: StartOptions): LocalProcess;
  /** Where it is to be confined, resolves once it runs so; its id is taken at once. */
  start(options: StartOptions, sandboxed: SandboxedStart | null): LocalProcess | Promise<LocalProcess>;
  start(
    options: StartOptions,
    sandboxed: SandboxedStart | null = null,
  ): LocalProcess | Promise<LocalProcess> {
    const { processId, keep } = options;
    if (keep !== undefined) {
      throw new ProcessError("unsupported", "Cannot keep a process: it ends with whoever starts it here");
    }
    if (this.#entries.has(processId)) {
      throw new ProcessError("duplicate", `process ${processId} already exists`);
    }
    if (options.limits !== undefined) requireLimits(options.limits, this.trees());
    const record = () =>
      new LocalProcess(
        options,
        this.clock,
        sandboxed?.isDenied,
        this.spools?.open() ?? null,
        this.trees,
      );
    const confine = sandboxed?.confine ?? null;
    if (confine !== null) return this.#startConfined(options, record, confine);
    const process = record();
    process.adopt(spawnChild(options, process));
    return this.#started(process);
  }

  /** What is running or can still be read. */
  get(processId: string): LocalProcess | undefined {
    const entry = this.#entries.get(processId);
    return entry?.state === "started" ? entry.process : undefined;
  }

  /** The start of that process, as long as it takes. */
  starting(processId: string): ConfinedStart | undefined {
    const entry = this.#entries.get(processId);
    return entry?.state === "starting" ? entry.start : undefined;
  }

  processes(): LocalProcess[] {
    return [...this.#entries.values()].flatMap((entry) => entry.state === "started" ? [entry.process] : []);
  }

  /** One that has closed can be read no more, from now on. */
  forget(processId: string): void {
    const entry = this.#entries.get(processId);
    if (entry?.state !== "started") return;
    entry.forgetting?.cancel();
    this.#entries.delete(processId);
    // Members of its group that let go of its output still run; nobody can name them any more.
    entry.process.killLeftovers();
    entry.process.log.forget();
    this.onForgotten(processId);
  }

  /** Kills every process and what is left of those that ended, at once. What is starting is cancelled. */
  endAll(): void {
    for (const entry of this.#entries.values()) {
      if (entry.state === "starting") {
        entry.start.cancel();
        continue;
      }
      entry.forgetting?.cancel();
      entry.process.killLeftovers();
      entry.process.log.forget();
    }
    this.#entries.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    const children = [...this.#entries.values()].map((entry) =>
      entry.state === "started" ? entry.process : entry.start.process
    );
    // One that has no child yet will never have one.
    const closing = children.filter(({ pid }) => pid !== null).map(({ whenClosed }) => whenClosed);
    this.endAll();
    return Promise.all(closing).then(() => {});
  }

  async #startConfined(
    options: StartOptions,
    record: () => LocalProcess,
    confine: Confine,
  ): Promise<LocalProcess> {
    const start = new ConfinedStart(options, record);
    const entry: Entry = { state: "starting", start };
    this.#entries.set(options.processId, entry);
    try {
      return this.#started(await start.run(confine));
    } catch (error) {
      if (this.#entries.get(options.processId) === entry) this.#entries.delete(options.processId);
      throw error;
    }
  }

  #started(process: LocalProcess): LocalProcess {
    const { processId } = process;
    const entry: Entry = { state: "started", process, forgetting: null };
    this.#entries.set(processId, entry);
    void process.whenClosed.then(() => {
      if (this.#entries.get(processId) !== entry) return; // all were ended meanwhile
      entry.forgetting = this.clock.after(this.retentionMs(processId), () => this.forget(processId));
    });
    return process;
  }
}

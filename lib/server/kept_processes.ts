import type { Clock } from "../base/clock.ts";
import type { StartOptions } from "../process/backend.ts";
import type { Keep } from "../process/keep.ts";
import type { SandboxedStart } from "../process/local/confinement.ts";
import { LocalBackend } from "../process/local/local_backend.ts";
import type { LocalProcess } from "../process/local/local_process.ts";
import { bestTrees } from "../process/local/tree/tree_support.ts";
import { ProcessError } from "../process/process_error.ts";
import type { Spools } from "../process/spool.ts";

/** How many processes of one principal are kept: more than anybody looks through, little enough to hold their ends. */
export const MOST_KEPT = 256;
/** How long one stays readable after its end where nobody said. */
export const KEEP_MS = 86_400_000;

/** Who sees a kept process: all who are let in as the same, or of them those alone who name the same token. */
export interface Owner {
  readonly principal: string;
  readonly token: string | null;
}

/** One process that outlives the session that started it. */
export interface Kept {
  readonly process: LocalProcess;
  readonly keep: Keep;
  readonly program: string;
  readonly tty: boolean;
  readonly startedAt: number;
  /** When it closed. */
  closedAt: number | null;
  /** Who may write to it, by session; null: whoever asks first. */
  writer: string | null;
  /** Those who follow it. Each is told when it cannot be read any more, and when another writes. */
  readonly readers: Set<KeptReader>;
}

export interface KeptReader {
  /** False while nobody is connected. */
  readonly isListening: boolean;
  forgotten(kept: Kept): void;
  lostInput(kept: Kept): void;
}

/** The kept processes of a server. They end by themselves, or with it. */
export class KeptProcesses {
  readonly #shelves = new Map<string, Shelf>();

  constructor(private readonly clock: Clock, private readonly spools: Spools | null = null) {}

  /** Throws a ProcessError where its name is taken, or there is no room. */
  start(
    owner: Owner,
    { keep, ...options }: StartOptions & { readonly keep: Keep },
    sandboxed: SandboxedStart | null,
  ): Kept | Promise<Kept> {
    this.#makeRoom(owner.principal);
    const key = keyOf(owner);
    let shelf = this.#shelves.get(key);
    if (shelf === undefined) {
      shelf = new Shelf(owner.principal, this.clock, this.spools, () => this.#shelves.delete(key));
      this.#shelves.set(key, shelf);
    }
    return shelf.start(options, keep, sandboxed);
  }

  find(owner: Owner, processId: string): Kept | undefined {
    return this.#shelves.get(keyOf(owner))?.kept.get(processId);
  }

  /** The one that has this name now. */
  named(owner: Owner, name: string): Kept | undefined {
    return this.list(owner).findLast(({ keep }) => keep.name === name);
  }

  /** A start of that id that takes a while. */
  starting(owner: Owner, processId: string) {
    return this.#shelves.get(keyOf(owner))?.backend.starting(processId);
  }

  /** In the order in which they were started. */
  list(owner: Owner): Kept[] {
    return [...this.#shelves.get(keyOf(owner))?.kept.values() ?? []];
  }

  /** Ends every process. */
  endAll(): void {
    for (const shelf of [...this.#shelves.values()]) shelf.backend.endAll();
    this.#shelves.clear();
  }

  /** What has ended longest ago makes room; what runs does not. */
  #makeRoom(principal: string): void {
    const shelves = [...this.#shelves.values()].filter((shelf) => shelf.principal === principal);
    if (shelves.reduce((sum, shelf) => sum + shelf.size, 0) < MOST_KEPT) return;
    const ended = shelves.flatMap((shelf) => [...shelf.kept.values()].map((kept) => ({ shelf, kept })))
      .filter(({ kept }) => kept.closedAt !== null)
      .sort((a, b) => a.kept.closedAt! - b.kept.closedAt!);
    if (ended.length === 0) {
      throw new ProcessError("full", `${MOST_KEPT} kept processes run already, and that is the most`);
    }
    ended[0]!.shelf.backend.forget(ended[0]!.kept.process.processId);
  }
}

/** The kept processes of one owner. */
class Shelf {
  readonly kept = new Map<string, Kept>();
  readonly backend: LocalBackend;
  /** Names of those whose start takes a while. */
  readonly #reserved = new Set<string>();
  readonly #keepMs = new Map<string, number>();
  #starting = 0;

  constructor(
    readonly principal: string,
    private readonly clock: Clock,
    spools: Spools | null,
    private readonly onEmpty: () => void,
  ) {
    const forgotten = (processId: string) => this.#forgotten(processId);
    const keptFor = (processId: string) => this.#keepMs.get(processId) ?? KEEP_MS;
    this.backend = new LocalBackend(clock, forgotten, spools, bestTrees, keptFor);
  }

  get size(): number {
    return this.kept.size + this.#starting;
  }

  start(
    options: StartOptions,
    keep: Keep,
    sandboxed: SandboxedStart | null,
  ): Kept | Promise<Kept> {
    const { name } = keep;
    try {
      if (name !== null) this.#requireFree(name);
      const started = this.backend.start(options, sandboxed);
      this.#keepMs.set(options.processId, keep.ms ?? KEEP_MS);
      if (!(started instanceof Promise)) return this.#put(started, options, keep);
      return this.#putLater(started, options, keep);
    } catch (error) {
      this.#endIfEmpty();
      throw error;
    }
  }

  async #putLater(started: Promise<LocalProcess>, options: StartOptions, keep: Keep): Promise<Kept> {
    this.#starting += 1;
    if (keep.name !== null) this.#reserved.add(keep.name);
    try {
      return this.#put(await started, options, keep);
    } finally {
      this.#starting -= 1;
      if (keep.name !== null) this.#reserved.delete(keep.name);
      this.#endIfEmpty();
    }
  }

  #put(process: LocalProcess, { argv, tty }: StartOptions, keep: Keep): Kept {
    const kept: Kept = {
      ...{ process, keep, tty, program: argv[0] ?? "" },
      ...{ startedAt: this.clock.now(), closedAt: null, writer: null, readers: new Set() },
    };
    this.kept.set(process.processId, kept);
    void process.whenClosed.then(() => (kept.closedAt = this.clock.now()));
    return kept;
  }

  /** A name is of one that runs; whoever has ended is found by its id. */
  #requireFree(name: string): void {
    const holder = [...this.kept.values()].find(({ keep, closedAt }) =>
      keep.name === name && closedAt === null
    );
    if (holder === undefined && !this.#reserved.has(name)) return;
    const by = holder === undefined ? "" : ` by ${holder.process.processId}`;
    throw new ProcessError("duplicate", `the name ${name} is taken${by}, which has not ended`);
  }

  #forgotten(processId: string): void {
    const kept = this.kept.get(processId);
    if (kept === undefined) return;
    this.kept.delete(processId);
    this.#keepMs.delete(processId);
    for (const reader of [...kept.readers]) reader.forgotten(kept);
    this.#endIfEmpty();
  }

  #endIfEmpty(): void {
    if (this.size === 0) this.onEmpty();
  }
}

function keyOf({ principal, token }: Owner): string {
  return JSON.stringify(
    token === null ? [principal] : [principal, new Bun.CryptoHasher("sha256").update(token).digest("hex")],
  );
}

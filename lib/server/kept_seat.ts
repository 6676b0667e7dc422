import type { StartOptions } from "../process/backend.ts";
import type { Keep } from "../process/keep.ts";
import type { ConfinedStart } from "../process/local/confined_start.ts";
import type { SandboxedStart } from "../process/local/confinement.ts";
import type { LocalProcess } from "../process/local/local_process.ts";
import { INVALID_REQUEST, WireError } from "../wire/wire_error.ts";
import type { Kept, KeptProcesses, KeptReader, Owner } from "./kept_processes.ts";

/** What a session does for its place among the kept processes. */
export interface Sitter {
  isListening(): boolean;
  forgotten(processId: string): void;
  /** The process does not wait for it any more. */
  waitsNoMore(process: LocalProcess): void;
}

/**
 * A session's place among the processes that outlive it: which it may see, which it follows, and to which it may write.
 * One session writes at a time, and the process waits for that one alone; the others only listen.
 */
export class KeptSeat implements KeptReader {
  readonly #followed = new Map<string, Kept>();

  constructor(
    private readonly processes: KeptProcesses,
    private readonly owner: Owner,
    private readonly sessionId: string,
    private readonly sitter: Sitter,
  ) {}

  get isListening(): boolean {
    return this.sitter.isListening();
  }

  /** Starts one that the session follows and writes to. */
  start(
    options: StartOptions & { readonly keep: Keep },
    sandboxed: SandboxedStart | null,
  ): LocalProcess | Promise<LocalProcess> {
    const started = this.processes.start(this.owner, options, sandboxed);
    const begin = (kept: Kept) => {
      this.sit(kept, true);
      return kept.process;
    };
    return started instanceof Promise ? started.then(begin) : begin(started);
  }

  list(): Kept[] {
    return this.processes.list(this.owner);
  }

  find(processId: string): Kept | undefined {
    return this.processes.find(this.owner, processId);
  }

  named(name: string): Kept | undefined {
    return this.processes.named(this.owner, name);
  }

  starting(processId: string): ConfinedStart | undefined {
    return this.processes.starting(this.owner, processId);
  }

  has(processId: string): boolean {
    return this.find(processId) !== undefined || this.starting(processId) !== undefined;
  }

  followed(processId: string): LocalProcess | undefined {
    return this.#followed.get(processId)?.process;
  }

  allFollowed(): LocalProcess[] {
    return [...this.#followed.values()].map(({ process }) => process);
  }

  /** Whoever wrote before listens from now on. */
  sit(kept: Kept, write: boolean): void {
    this.#followed.set(kept.process.processId, kept);
    kept.readers.add(this);
    if (!write || kept.writer === this.sessionId) return;
    kept.writer = this.sessionId;
    for (const reader of kept.readers) if (reader !== this) reader.lostInput(kept);
  }

  leave(kept: Kept): void {
    this.#followed.delete(kept.process.processId);
    kept.readers.delete(this);
    if (kept.writer === this.sessionId) kept.writer = null;
  }

  leaveAll(): void {
    for (const kept of [...this.#followed.values()]) this.leave(kept);
  }

  writesTo(kept: Kept): boolean {
    return kept.writer === this.sessionId;
  }

  /** Whether the process waits until this session has what it prints. Its own always do. */
  holds(process: LocalProcess): boolean {
    const kept = this.#keptAs(process);
    return kept === undefined || this.writesTo(kept);
  }

  /** Throws a WireError where somebody else has its input. */
  requireInput(process: LocalProcess): void {
    const kept = this.#keptAs(process);
    if (kept === undefined || this.writesTo(kept)) return;
    const { processId } = process;
    const text = kept.writer === null
      ? `process ${processId} is not attached for writing`
      : `another client writes to process ${processId}`;
    throw new WireError(INVALID_REQUEST, text);
  }

  /** Of several who write one after the other each numbers his own. */
  writeId(process: LocalProcess, writeId: string): string {
    return this.#keptAs(process) === undefined ? writeId : `${this.sessionId} ${writeId}`;
  }

  forgotten(kept: Kept): void {
    this.leave(kept);
    this.sitter.forgotten(kept.process.processId);
  }

  lostInput(kept: Kept): void {
    this.sitter.waitsNoMore(kept.process);
  }

  #keptAs(process: LocalProcess): Kept | undefined {
    const kept = this.#followed.get(process.processId) ?? this.find(process.processId);
    return kept?.process === process ? kept : undefined; // another of its own may have the same id
  }
}

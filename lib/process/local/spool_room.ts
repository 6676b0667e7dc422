import { join } from "@std/path";
import { osErrorWords } from "../../base/os_error.ts";
import type { Spools } from "../spool.ts";
import { DiskSpool, type SharedRoom } from "./disk_spool.ts";
import { freeBytesAt, isInMemoryAt, SpoolDirectory, sweepSpools } from "./spool_directory.ts";
import { SpoolWriter } from "./spool_writer.ts";

/** Of one process, unless said otherwise. */
export const SPOOL_MAX_BYTES = 1024 ** 3;
/** Of all processes of a server together, or what one of them may have; less where the disk has less than twice that. */
const ALL_MAX_BYTES = 8 * 1024 ** 3;
/** The largest file; what is oldest goes by whole files, and never more than an eighth at once. */
const FILE_BYTES = 16 * 1024 ** 2;

/** So much of all output together may wait for the disk, and of one process at least so much. */
const OVERDUE_BYTES = 4 * 1024 ** 2;
const LEAST_OVERDUE_BYTES = 256 * 1024;

export interface SpoolSettings {
  /** Where the servers of this user have their spools. */
  readonly root: string;
  /** Whether a person chose it: then it may be in memory, and what is wrong with it is an error. */
  readonly isNamed: boolean;
  /** Of one process. */
  readonly maxBytes: number;
  readonly allMaxBytes?: number;
  /** For what goes wrong later: it is said once. */
  readonly warn: (message: string) => void;
}

/** Gets the spools of a server ready; null where the usual place will not do, which is said. Rejects where a named one will not. */
export async function openSpools(settings: SpoolSettings): Promise<SpoolRoom | null> {
  const { root, isNamed, warn } = settings;
  try {
    if (!isNamed && await isInMemoryAt(root)) throw new Error("it is in memory, not on disk");
    await sweepSpools(root);
    const room = new SpoolRoom(settings);
    if (isNamed) await room.prepare();
    return room;
  } catch (error) {
    if (isNamed) throw error;
    warn(
      `Output beyond 1 MiB a process is not kept: Cannot use ${root}: ${
        osErrorWords(error)
      }; name a place with --spool-dir`,
    );
    return null;
  }
}

/** The room on disk that the processes of one server share. */
export class SpoolRoom implements Spools, SharedRoom {
  readonly fileBytes: number;
  readonly writer = new SpoolWriter();
  writing = 0;
  readonly #spools = new Set<DiskSpool>();
  #directory: Promise<SpoolDirectory> | null = null;
  #ready: SpoolDirectory | null = null;
  #opened = 0;
  #bytes = 0;
  #allMaxBytes = 0;
  #hasTold = false;
  #isClosed = false;

  constructor(private readonly settings: SpoolSettings) {
    this.fileBytes = Math.min(FILE_BYTES, Math.ceil(settings.maxBytes / 8));
  }

  /** One that prints alone may use the memory of many. */
  get overdueBytes(): number {
    return Math.max(LEAST_OVERDUE_BYTES, OVERDUE_BYTES / this.writing);
  }

  open(): DiskSpool {
    this.#opened += 1;
    return new DiskSpool(String(this.#opened), this);
  }

  /** Makes the directory, if nobody did yet: a server whose processes print little has none. */
  async prepare(): Promise<void> {
    this.#directory ??= SpoolDirectory.make(this.settings.root);
    const directory = await this.#directory;
    if (this.#isClosed) {
      directory.remove();
      throw new Error("the server ends");
    }
    if (this.#ready !== null) return;
    const half = Math.floor(await freeBytesAt(directory.path) / 2);
    const { allMaxBytes, maxBytes } = this.settings;
    this.#allMaxBytes = Math.min(allMaxBytes ?? Math.max(ALL_MAX_BYTES, maxBytes), half);
    this.#ready = directory;
  }

  async make(spool: DiskSpool, bytes: number): Promise<boolean> {
    try {
      await this.prepare();
    } catch (error) {
      this.tell(error);
      return false;
    }
    this.#spools.add(spool);
    while (spool.bytes + bytes > this.settings.maxBytes && spool.dropOldest("all"));
    while (this.#bytes + bytes > this.#allMaxBytes) {
      // Whoever has most gives first, running or not.
      const byBytes = [...this.#spools].sort((one, other) => other.bytes - one.bytes);
      if (!byBytes.some((largest) => largest.dropOldest(largest === spool ? "all" : "but the newest"))) {
        this.tell(new Error("it is full"));
        return false;
      }
    }
    return true;
  }

  path(name: string): string {
    return join(this.#ready!.path, name);
  }

  taken(bytes: number): void {
    this.#bytes += bytes;
  }

  freed(bytes: number): void {
    this.#bytes -= bytes;
  }

  left(spool: DiskSpool): void {
    this.#spools.delete(spool);
  }

  /** The first thing that goes wrong; what is lost by it, and by what comes after, the readers are told. */
  tell(error: unknown): void {
    if (this.#hasTold) return;
    this.#hasTold = true;
    this.settings.warn(
      `Some output is not kept: Cannot write to ${this.settings.root}: ${osErrorWords(error)}`,
    );
  }

  /** Removes everything, at once: who ends a server may not wait. */
  close(): void {
    this.#isClosed = true;
    this.#hasTold = true; // whatever is written now goes nowhere, as it should
    for (const spool of [...this.#spools]) spool.end();
    this.#ready?.remove();
  }
}

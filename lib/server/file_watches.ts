import { CollectedChanges } from "../fs/collected_changes.ts";
import type { Change, FileSystem, NativePath, Soon, Watch } from "../fs/file_system.ts";
import type { Outbox, Producer } from "../rpc/outbox.ts";
import { writeNotification } from "../wire/envelope.ts";
import { type Changed, MAX_WATCHES } from "../wire/files_v1_messages.ts";
import { encodeNativeBytes } from "../wire/percent_code.ts";
import { INVALID_REQUEST, WireError } from "../wire/wire_error.ts";

interface Watched {
  /** null while it begins. */
  watch: Watch | null;
  /** Nothing is told before the answer that it is watched. */
  isAnswered: boolean;
  readonly changes: CollectedChanges;
}

/** The watches of one connection, by the numbers that its peer chose. A peer that is slow to read is told more at once. */
export class FileWatches implements Producer {
  readonly #watches = new Map<number, Watched>();
  #ended = false;

  constructor(private readonly outbox: Outbox) {}

  /** false: nothing can be promised, and nothing will be told. */
  set(fileSystem: FileSystem, id: number, path: NativePath): Soon<boolean> {
    if (this.#watches.has(id)) throw refused(`file watch ${id} already exists`);
    if (this.#watches.size >= MAX_WATCHES) {
      throw refused(`at most ${MAX_WATCHES} file watches may be set per connection`);
    }
    const watched: Watched = { watch: null, isAnswered: false, changes: new CollectedChanges() };
    this.#watches.set(id, watched);
    const forget = (error: unknown): never => {
      this.#forget(id, watched);
      throw error;
    };
    try {
      const watch = fileSystem.watch(path, (change) => this.#changed(watched, change));
      if (watch instanceof Promise) return watch.then((later) => this.#began(id, watched, later), forget);
      return this.#began(id, watched, watch);
    } catch (error) {
      return forget(error);
    }
  }

  /** The answer is on its way: from now on it may be followed. */
  answered(id: number): void {
    const watched = this.#watches.get(id);
    if (watched === undefined) return;
    watched.isAnswered = true;
    queueMicrotask(() => this.pump());
  }

  /** An unknown one is not watched already. */
  stop(id: number): void {
    const watched = this.#watches.get(id);
    this.#watches.delete(id);
    watched?.watch?.stop();
  }

  pump(): void {
    for (const [id, { isAnswered, changes }] of this.#watches) {
      if (!isAnswered || changes.isEmpty) continue;
      if (this.outbox.isFull) return this.outbox.waitForRoom(this);
      const { names, overflow, ended } = changes.take();
      if (ended) this.#watches.delete(id);
      const params: Changed = { watchId: id, names: names.map(inWords), overflow, ended };
      this.outbox.put(writeNotification("fs/changed", params));
    }
  }

  end(): void {
    this.#ended = true;
    for (const id of [...this.#watches.keys()]) this.stop(id);
    this.outbox.forget(this);
  }

  #began(id: number, watched: Watched, watch: Watch | null): boolean {
    watched.watch = watch;
    const isWanted = this.#watches.get(id) === watched && !this.#ended;
    if (!isWanted) watch?.stop();
    if (watch === null) this.#forget(id, watched);
    return watch !== null && isWanted;
  }

  #forget(id: number, watched: Watched): void {
    if (this.#watches.get(id) === watched) this.#watches.delete(id);
  }

  #changed({ changes }: Watched, change: Change): void {
    changes.add(change);
    this.pump();
  }
}

function inWords(name: NativePath): string {
  return encodeNativeBytes(Buffer.from(name as string));
}

function refused(message: string): WireError {
  return new WireError(INVALID_REQUEST, message);
}

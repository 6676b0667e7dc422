import type { FileSystem, MissingPaths, MissingWatch, Soon } from "../fs/file_system.ts";
import type { Outbox, Producer } from "../rpc/outbox.ts";
import { writeNotification } from "../wire/envelope.ts";
import type { MissingChanged } from "../wire/fs_messages.ts";

/** What has happened to the newest watch. */
type State = "set" | "told" | "changed";

/** The watches of one connection: one at a time, the newest. It is told once, never before the answer that it is set. */
export class MissingWatches implements Producer {
  #newest = 0;
  #state: State = "set";
  #watch: MissingWatch | null = null;
  #ended = false;

  constructor(private readonly outbox: Outbox) {}

  /** Takes the place of the one before. false: the id is not newer than all before it, or nothing can be promised. */
  set(fileSystem: FileSystem, id: number, paths: MissingPaths | null): Soon<boolean> {
    if (id <= this.#newest) return false;
    this.#stop();
    this.#newest = id;
    this.#state = "set";
    if (paths === null || paths.missing.length === 0) return false;
    const watch = fileSystem.watchMissing(paths, () => this.#changed(id));
    return watch instanceof Promise ? watch.then((later) => this.#began(id, later)) : this.#began(id, watch);
  }

  /** The answer is on its way: from now on it may be followed. */
  answered(id: number): void {
    if (id !== this.#newest) return;
    if (this.#state === "changed") queueMicrotask(() => this.pump());
    else this.#state = "told";
  }

  pump(): void {
    if (this.#ended || this.#state !== "changed") return;
    if (this.outbox.isFull) return this.outbox.waitForRoom(this);
    this.#state = "set";
    const params: MissingChanged = { watchId: this.#newest };
    this.outbox.put(writeNotification("fs/missingChanged", params));
  }

  end(): void {
    this.#ended = true;
    this.#stop();
    this.outbox.forget(this);
  }

  #began(id: number, watch: MissingWatch | null): boolean {
    if (id !== this.#newest || this.#ended) watch?.stop();
    else this.#watch = watch;
    return watch !== null && id === this.#newest;
  }

  #changed(id: number): void {
    if (id !== this.#newest) return;
    this.#watch = null;
    const isAnswered = this.#state === "told";
    this.#state = "changed";
    if (isAnswered) this.pump();
  }

  #stop(): void {
    this.#watch?.stop();
    this.#watch = null;
  }
}

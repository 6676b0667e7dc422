import { MAX_MISSING_PATHS, type MissingWatch } from "../fs/file_system.ts";
import { readMissingChanged, readWatchMissingAnswer } from "../wire/fs_results.ts";
import type { FileCalls } from "./file_calls.ts";
import type { Uplink } from "./uplink.ts";

/** What one caller waits for, in the words of the wire. */
export interface WatchedUris {
  readonly missing: readonly string[];
  readonly present: string | null;
}

interface Watch extends WatchedUris {
  tell(): void;
}

/**
 * The watches of one server. It keeps only the newest one of a connection, so that all there are are asked for as one;
 * when it tells, all are told, and so they are when the connection is lost: what happened meanwhile is unknown.
 */
export class RemoteWatches {
  readonly #watches = new Set<Watch>();
  #newest = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(private readonly calls: FileCalls, uplink: Uplink) {
    uplink.onNotice("fs/missingChanged", (params) => {
      // One that was replaced may still have been told about: it is part of the one that took its place.
      if (readMissingChanged(params) <= this.#newest) this.#tellAll();
    });
    uplink.onState(({ state }) => {
      if (state !== "connected") this.#tellAll();
    });
  }

  /** null: the server cannot promise it. */
  watch(uris: WatchedUris, onChange: () => void): Promise<MissingWatch | null> {
    const turn = this.#turn.then(() => this.#add(uris, onChange));
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #add(uris: WatchedUris, onChange: () => void): Promise<MissingWatch | null> {
    const watch: Watch = {
      ...uris,
      tell: () => {
        this.#watches.delete(watch);
        onChange();
      },
    };
    const together = union([...this.#watches, watch]);
    if (together === null || uris.missing.length === 0) return null;
    let isTold = false;
    const pending: Watch = { ...watch, tell: () => (isTold = true) };
    const others = this.#watches.size > 0;
    this.#watches.add(pending);
    let isWatching: boolean;
    try {
      isWatching = await this.#ask(together);
      if (!isWatching && others) {
        // One of the others may be there by now; alone, this one may still be promised.
        this.#watches.delete(pending);
        this.#tellAll();
        this.#watches.add(pending);
        isWatching = await this.#ask(uris);
      }
    } catch (error) {
      // What became of the watch before is as unknown.
      this.#tellAll();
      throw error;
    } finally {
      this.#watches.delete(pending);
    }
    if (!isWatching) return null;
    this.#watches.add(watch);
    if (isTold) watch.tell();
    return { stop: () => this.#stop(watch) };
  }

  async #ask({ missing, present }: WatchedUris): Promise<boolean> {
    const params = { watchId: ++this.#newest, missing, present };
    return (await this.calls.call("fs/watchMissing", params, readWatchMissingAnswer)).watching;
  }

  #stop(watch: Watch): void {
    if (!this.#watches.delete(watch) || this.#watches.size > 0) return;
    this.#turn = this.#turn.then(async () => {
      if (this.#watches.size === 0) await this.#ask({ missing: [], present: null });
    }).catch(() => {}); // it may tell once more, and nobody is there to hear it
  }

  #tellAll(): void {
    for (const watch of [...this.#watches]) watch.tell();
  }
}

/** One watch for all of them; null where the wire has no word for that. */
function union(watches: readonly WatchedUris[]): WatchedUris | null {
  const missing = [...new Set(watches.flatMap((watch) => watch.missing))];
  const present = [...new Set(watches.flatMap((watch) => watch.present ?? []))];
  if (missing.length > MAX_MISSING_PATHS || present.length > 1) return null;
  return { missing, present: present[0] ?? null };
}

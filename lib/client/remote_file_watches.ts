import { CollectedChanges } from "../fs/collected_changes.ts";
import type { Change, Watch } from "../fs/file_system.ts";
import { readChanged, readWatchAnswer } from "../wire/files_v1_results.ts";
import { readDone } from "../wire/fs_results.ts";
import { decodePercent } from "../wire/percent_code.ts";
import { nativeOf } from "./far_path.ts";
import type { FileCalls } from "./file_calls.ts";
import type { Uplink } from "./uplink.ts";

interface Watching {
  /** What came before the answer that it is watched was understood. */
  readonly early: CollectedChanges;
  isAnswered: boolean;
  tell(change: Change): void;
}

/** Nobody looks any more, and nobody knows what has happened meanwhile. */
const LOST: Change = { names: [], overflow: true, ended: true };

/** The watches of one server. They end with the connection: whoever wants another asks anew. */
export class RemoteFileWatches {
  readonly #watches = new Map<number, Watching>();
  #newest = 0;

  constructor(private readonly calls: FileCalls, uplink: Uplink) {
    uplink.onNotice("fs/changed", (params) => {
      const { watchId, names, overflow, ended } = readChanged(params);
      const natives = names.map((name) => nativeOf(decodePercent(name)));
      this.#changed(watchId, { names: natives, overflow, ended });
    });
    uplink.onState(({ state }) => {
      if (state === "connected") return;
      for (const [id, { isAnswered }] of [...this.#watches]) if (isAnswered) this.#changed(id, LOST);
    });
  }

  /** null: the server cannot promise it. */
  async watch(path: string, tell: (change: Change) => void): Promise<Watch | null> {
    const watchId = ++this.#newest;
    const watching: Watching = { early: new CollectedChanges(), isAnswered: false, tell };
    this.#watches.set(watchId, watching);
    try {
      const params = { watchId, path };
      const answer = await this.calls.callOurs("fs/watch", params, readWatchAnswer, "watch files");
      if (!answer.watching) {
        this.#watches.delete(watchId);
        return null;
      }
    } catch (error) {
      this.#watches.delete(watchId);
      throw error;
    }
    watching.isAnswered = true;
    // After whoever waits for the watch has it.
    queueMicrotask(() => {
      if (!watching.early.isEmpty) this.#changed(watchId, watching.early.take());
    });
    return { stop: () => this.#stop(watchId) };
  }

  #changed(id: number, change: Change): void {
    const watching = this.#watches.get(id);
    if (watching === undefined) return; // stopped meanwhile
    if (!watching.isAnswered) return watching.early.add(change);
    if (change.ended) this.#watches.delete(id);
    watching.tell(change);
  }

  #stop(watchId: number): void {
    if (!this.#watches.delete(watchId)) return;
    // Lost on the way, it is as good: the watch went with the connection.
    this.calls.callOurs("fs/unwatch", { watchId }, readDone, "watch files").catch(() => {});
  }
}

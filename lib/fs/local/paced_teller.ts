import { CollectedChanges } from "../collected_changes.ts";
import { type Change, type NativePath, type Watch, WATCH_PACE_MS } from "../file_system.ts";

/** Tells together what happens within a while of the first. */
export class PacedTeller implements Watch {
  readonly #changes = new CollectedChanges();
  readonly #stops: (() => void)[] = [];
  #timer: ReturnType<typeof setTimeout> | null = null;
  #isStopped = false;

  constructor(private readonly onChange: (change: Change) => void) {}

  onStop(stop: () => void): void {
    this.#stops.push(stop);
  }

  tell(names: readonly NativePath[], overflow: boolean): void {
    this.#add({ names, overflow, ended: false });
  }

  /** The last that is told. */
  end(): void {
    this.#add({ names: [], overflow: false, ended: true });
    this.#stopListening();
  }

  stop(): void {
    this.#isStopped = true;
    this.#changes.take();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#stopListening();
  }

  #add(change: Change): void {
    if (this.#isStopped) return;
    this.#changes.add(change);
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.onChange(this.#changes.take());
    }, WATCH_PACE_MS);
  }

  #stopListening(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }
}

import type { ProcessHandle } from "../process/backend.ts";
import type { Follower } from "../process/event_log.ts";
import { FLOW_WINDOW_BYTES } from "../wire/extensions.ts";

/**
 * What a `flow.v1` reader is known to have. Each process is followed up to the last acknowledged event, also while
 * nobody is connected: nothing beyond it is forgotten, and the child waits once a window's worth is open.
 */
export class Acknowledgements {
  readonly #readers = new Map<string, Follower>();

  /** Holds this process's events from the next one on, or from its first, for the reader; where it does not hold, nothing waits. */
  expect(process: ProcessHandle, afterSeq: number, holds = true): void {
    if (this.#readers.has(process.processId)) return;
    const heldBytes = holds ? FLOW_WINDOW_BYTES : Infinity;
    this.#readers.set(process.processId, process.log.follow(afterSeq, () => {}, heldBytes));
  }

  /** The reader has everything up to `seq`. An unknown process may have been forgotten meanwhile. */
  acknowledge(process: ProcessHandle, seq: number): void {
    const reader = this.#readers.get(process.processId);
    reader?.skipTo(seq);
    if (process.log.closed !== null && reader?.cursor === process.log.closed.seq) {
      this.forget(process.processId);
    }
  }

  /** Whether so many bytes of this process may have been told, for what is known of the reader. */
  allow({ processId }: ProcessHandle, toldBytes: number): boolean {
    const reader = this.#readers.get(processId);
    return reader === undefined || toldBytes - reader.takenBytes <= FLOW_WINDOW_BYTES;
  }

  forget(processId: string): void {
    this.#readers.get(processId)?.leave();
    this.#readers.delete(processId);
  }

  /** The reader does not acknowledge any more: nobody is held for it. */
  forgetAll(): void {
    for (const processId of [...this.#readers.keys()]) this.forget(processId);
  }
}

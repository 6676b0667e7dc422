import type { Fetched } from "./follower.ts";
import { type LogWindow, sizeOf } from "./log_window.ts";
import { type KnownExit, missingEvents } from "./missing_events.ts";
import type { ProcessEvent } from "./process_event.ts";
import type { Spool } from "./spool.ts";

/** What a log tells of events that have left its memory: from the disk, or what stands in their place. */
export class PastEvents {
  constructor(
    private readonly window: LogWindow,
    private readonly spool: Spool | null,
    private readonly exit: () => KnownExit | null,
  ) {}

  /** Whether what comes after a cursor is told without a promise. */
  isInMemory(afterSeq: number): boolean {
    return this.spool === null || afterSeq + 1 >= this.window.firstSeq;
  }

  bytesUpTo(seq: number): number {
    return this.isInMemory(seq) ? this.window.bytesUpTo(seq) : this.spool!.bytesUpTo(seq);
  }

  /** The next events that are on disk, or what stands in their place. Nothing where they are in memory after all. */
  async fetch(cursor: number, taken: number | null, maxBytes: number): Promise<Fetched> {
    while (!this.isInMemory(cursor)) {
      const { firstSeq } = this.window;
      const run = await this.spool!.read(cursor, maxBytes);
      if (run !== null) {
        const { chunks, bytesBefore, memory } = run;
        const exit = this.exit();
        const events = missingEvents(cursor, { seq: chunks[0]!.seq, bytesBefore }, taken, exit);
        const takenBytes = bytesBefore - total(events);
        for (const chunk of chunks) {
          // The exit may stand between two chunks that were put away together.
          const before = events.at(-1)?.seq ?? cursor;
          if (exit !== null && before < exit.event.seq && exit.event.seq < chunk.seq) events.push(exit.event);
          events.push(chunk);
        }
        return { events, takenBytes, memory };
      }
      // Something may have been put away while we looked.
      if (this.window.firstSeq === firstSeq) return this.gone(cursor, taken);
    }
    return { events: [], takenBytes: this.bytesUpTo(cursor) };
  }

  /** What stands in the place of everything between a cursor and the oldest event in memory. */
  gone(cursor: number, taken: number | null): Fetched {
    const { firstSeq, bytesBefore } = this.window;
    const events = missingEvents(cursor, { seq: firstSeq, bytesBefore }, taken, this.exit());
    return { events, takenBytes: bytesBefore - total(events) };
  }
}

function total(events: readonly ProcessEvent[]): number {
  return events.reduce((sum, event) => sum + sizeOf(event), 0);
}

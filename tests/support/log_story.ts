import type { EventLog, LogPage } from "../../lib/process/event_log.ts";
import type { GapEvent, OutputEvent, ProcessEvent } from "../../lib/process/process_event.ts";
import { within } from "./peer_deadline.ts";

/** What a log tells: the chunks and, in the place of others, the gaps. */
export interface Story {
  readonly chunks: readonly OutputEvent[];
  readonly gaps: readonly GapEvent[];
}

/** Everything after a cursor, page by page, until there is no more. */
export async function readStory(log: EventLog, afterSeq: number, maxBytes: number | null): Promise<Story> {
  const [chunks, gaps]: [OutputEvent[], GapEvent[]] = [[], []];
  for (let cursor = afterSeq; cursor + 1 < log.nextSeq;) {
    const page: LogPage = await log.page(cursor, maxBytes);
    chunks.push(...page.chunks);
    gaps.push(...page.gaps);
    cursor = page.nextSeq - 1;
  }
  return { chunks, gaps };
}

/** Every event from the first on, as a live reader gets it, until it has them all. */
export async function followStory(log: EventLog): Promise<ProcessEvent[]> {
  const events: ProcessEvent[] = [];
  let wake = () => {};
  const follower = log.follow(0, () => wake());
  const all = (async () => {
    while (follower.cursor + 1 < log.nextSeq) {
      const news = new Promise<void>((resolve) => (wake = resolve));
      let event = follower.take();
      if (event === null && follower.cursor + 1 < log.nextSeq) await news;
      for (; event !== null; event = follower.take()) events.push(event);
    }
  })();
  await within(all, "everything that a live reader is told");
  follower.leave();
  return events;
}

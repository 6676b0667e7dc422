import type { ExitedEvent, GapEvent, ProcessEvent } from "./process_event.ts";

/** The end of a child, and how much was printed before it: it is known also where all around it is gone. */
export interface KnownExit {
  readonly event: ExitedEvent;
  readonly bytesBefore: number;
}

/**
 * What stands in the place of the events between a cursor and the next that is kept: gaps, and the exit if it was there.
 * `bytesBefore` are the bytes before that next one, `taken` those up to the cursor; null where nobody knows.
 */
export function missingEvents(
  cursor: number,
  next: { readonly seq: number; readonly bytesBefore: number },
  taken: number | null,
  exit: KnownExit | null,
): ProcessEvent[] {
  if (exit === null || exit.event.seq <= cursor || exit.event.seq >= next.seq) {
    return gap(cursor, next.seq, taken, next.bytesBefore);
  }
  const { event, bytesBefore } = exit;
  return [
    ...gap(cursor, event.seq, taken, bytesBefore),
    event,
    ...gap(event.seq, next.seq, bytesBefore, next.bytesBefore),
  ];
}

function gap(cursor: number, nextSeq: number, taken: number | null, bytesBefore: number): GapEvent[] {
  if (cursor + 1 >= nextSeq) return [];
  const bytes = taken === null ? null : bytesBefore - taken;
  return [{ type: "gap", seq: nextSeq - 1, fromSeq: cursor + 1, toSeq: nextSeq - 1, bytes }];
}

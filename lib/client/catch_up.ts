import { decodeBase64 } from "../wire/base64.ts";
import type { ReadAnswer } from "../wire/client_messages.ts";
import type { GapEvent } from "../process/process_event.ts";
import { accountOf } from "./account_words.ts";
import { firstOf } from "./event_order.ts";
import { gapOf, type ToldEvent } from "./wire_events.ts";

/** What a client knows of a process when its connection is back. */
export interface Known {
  readonly lastPublished: number;
  readonly exitPublished: boolean;
  /** Events above `lastPublished` that came already, by seq. */
  readonly waiting: ReadonlyMap<number, ToldEvent>;
}

export interface Missed {
  /** In the order in which they are to be inserted. */
  readonly events: readonly ToldEvent[];
  /** The exit among the waiting events that the answer completes. */
  readonly completedExit: number | null;
}

/** The story of this process has a hole that nothing explains. */
export class CatchUpError extends Error {
  override readonly name = "CatchUpError";
}

const NOTHING: Missed = { events: [], completedExit: null };

/**
 * The events that were missed, rebuilt from one `process/read` after `lastPublished`. A read carries only the chunks, with
 * their seqs; the exit has the number that is missing between them, and the close has the last. Throws a CatchUpError.
 */
export function eventsFromRead(known: Known, answer: ReadAnswer): Missed {
  if (answer.failure !== null) throw new CatchUpError(answer.failure);
  const target = answer.nextSeq - 1;
  if (target <= known.lastPublished) return NOTHING;
  const waitingExit = [...known.waiting.values()].find(({ type, seq }) => type === "exited" && seq <= target);
  const story = new Story(known, target);

  if (answer.closed) refuseOtherEndings(known, answer, target);
  let exitKnown = known.exitPublished || waitingExit !== undefined;
  for (const event of toldIn(answer)) {
    if (event.seq > target) {
      throw new CatchUpError(
        `recovered process output sequence ${event.seq} exceeds target sequence ${target}`,
      );
    }
    if (answer.exited && !exitKnown && firstOf(event) > story.nextMissing) {
      story.add(exitFrom(answer, story.nextMissing));
      exitKnown = true;
    }
    story.add(event);
  }
  if (answer.closed) story.add({ type: "closed", seq: target });
  if (answer.exited && !exitKnown) {
    // Whatever else may be missing, the exit is; so exactly one number has to be.
    if (story.missing !== 1) throw hole(target);
    story.add(exitFrom(answer, story.nextMissing));
  }
  if (story.missing !== 0) throw hole(target);
  return { events: story.added, completedExit: waitingExit?.seq ?? null };
}

function refuseOtherEndings({ waiting }: Known, { chunks }: ReadAnswer, target: number): void {
  const other = waiting.get(target);
  if (chunks.some(({ seq }) => seq === target) || (other !== undefined && other.type !== "closed")) {
    throw new CatchUpError(`process close sequence ${target} conflicts with recovered output`);
  }
}

/** The chunks, and what ours says of those that it does not keep any more, by number. */
function toldIn({ chunks, gaps }: ReadAnswer): ToldEvent[] {
  const output = chunks.map(({ seq, stream, chunk }): ToldEvent => ({
    ...{ type: "output", seq, stream },
    bytes: decodeBase64(chunk),
  }));
  if (gaps.length === 0) return output;
  return [...output, ...gaps.map(gapOf)].sort((a, b) => a.seq - b.seq);
}

function exitFrom(answer: ReadAnswer, seq: number): ToldEvent {
  const { exitCode, sandboxDenied } = answer;
  if (exitCode === null) throw new CatchUpError("recovering exited process did not include its exit code");
  const account = accountOf(answer);
  return { type: "exited", seq, exitCode, sandboxDenied, ...(account === null ? {} : { account }) };
}

function hole(target: number): CatchUpError {
  return new CatchUpError(
    `process events are no longer retained while recovering through sequence ${target}`,
  );
}

/** The events from `lastPublished` to the target, as far as they are known. Counts instead of walking: a peer says how far. */
class Story {
  readonly added: ToldEvent[] = [];
  /** The first number that nobody has told yet. */
  nextMissing: number;
  /** How many numbers up to the target nobody has told. */
  missing: number;
  readonly #seqs = new Set<number>();
  readonly #gaps: GapEvent[] = [];

  constructor(private readonly known: Known, private readonly target: number) {
    this.nextMissing = known.lastPublished + 1;
    this.missing = target - known.lastPublished;
    for (const event of known.waiting.values()) {
      if (event.type === "gap") this.#gaps.push(event);
      if (firstOf(event) <= target) this.missing -= Math.min(event.seq, target) - firstOf(event) + 1;
    }
    this.#advance();
  }

  add(event: ToldEvent): void {
    if (event.type === "gap") return this.#addGap(event);
    const { seq } = event;
    if (seq <= this.known.lastPublished || this.#has(seq)) return;
    this.added.push(event);
    this.#seqs.add(seq);
    this.missing -= 1;
    this.#advance();
  }

  /** What came before it was gone is better than the gap. */
  #addGap(gap: GapEvent): void {
    let from = Math.max(gap.fromSeq, this.known.lastPublished + 1);
    for (const known of this.#knownIn(from, gap.toSeq)) {
      this.#addPiece(gap, from, known.fromSeq - 1);
      from = Math.max(from, known.toSeq + 1);
    }
    this.#addPiece(gap, from, gap.toSeq);
    this.#advance();
  }

  #addPiece(gap: GapEvent, fromSeq: number, toSeq: number): void {
    if (fromSeq > toSeq) return;
    const isWhole = fromSeq === gap.fromSeq && toSeq === gap.toSeq;
    const piece: GapEvent = { type: "gap", seq: toSeq, fromSeq, toSeq, bytes: isWhole ? gap.bytes : null };
    this.added.push(piece);
    this.#gaps.push(piece);
    this.missing -= toSeq - fromSeq + 1;
  }

  /** In their order. A peer says how far a gap goes, so what is known is walked and not what is not. */
  #knownIn(first: number, last: number): { readonly fromSeq: number; readonly toSeq: number }[] {
    const singles = [...this.#seqs];
    for (const { type, seq } of this.known.waiting.values()) if (type !== "gap") singles.push(seq);
    return [...singles.map((seq) => ({ fromSeq: seq, toSeq: seq })), ...this.#gaps]
      .filter(({ fromSeq, toSeq }) => fromSeq <= last && toSeq >= first)
      .sort((a, b) => a.fromSeq - b.fromSeq);
  }

  #has(seq: number): boolean {
    return this.#seqs.has(seq) || this.known.waiting.has(seq) || this.#gapAt(seq) !== undefined;
  }

  #gapAt(seq: number): GapEvent | undefined {
    return this.#gaps.find(({ fromSeq, toSeq }) => fromSeq <= seq && seq <= toSeq);
  }

  #advance(): void {
    while (this.nextMissing <= this.target && this.#has(this.nextMissing)) {
      this.nextMissing = (this.#gapAt(this.nextMissing)?.toSeq ?? this.nextMissing) + 1;
    }
  }
}

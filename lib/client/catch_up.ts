import { decodeBase64 } from "../wire/base64.ts";
import type { ReadAnswer } from "../wire/client_messages.ts";
import type { ToldEvent } from "./wire_events.ts";

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
  for (const { seq, stream, chunk } of answer.chunks) {
    if (seq > target) {
      throw new CatchUpError(`recovered process output sequence ${seq} exceeds target sequence ${target}`);
    }
    if (answer.exited && !exitKnown && seq > story.nextMissing) {
      story.add(exitFrom(answer, story.nextMissing));
      exitKnown = true;
    }
    story.add({ type: "output", seq, stream, bytes: decodeBase64(chunk) });
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

function exitFrom({ exitCode, sandboxDenied }: ReadAnswer, seq: number): ToldEvent {
  if (exitCode === null) throw new CatchUpError("recovering exited process did not include its exit code");
  return { type: "exited", seq, exitCode, sandboxDenied };
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

  constructor(private readonly known: Known, private readonly target: number) {
    this.nextMissing = known.lastPublished + 1;
    this.missing = target - known.lastPublished;
    for (const seq of known.waiting.keys()) if (seq <= target) this.missing -= 1;
    this.#advance();
  }

  add(event: ToldEvent): void {
    const { seq } = event;
    if (seq <= this.known.lastPublished || this.#has(seq)) return;
    this.added.push(event);
    this.#seqs.add(seq);
    this.missing -= 1;
    this.#advance();
  }

  #has(seq: number): boolean {
    return this.#seqs.has(seq) || this.known.waiting.has(seq);
  }

  #advance(): void {
    while (this.nextMissing <= this.target && this.#has(this.nextMissing)) this.nextMissing += 1;
  }
}

import type { EventLog, LogPage } from "../event_log.ts";
import type { GapEvent, OutputEvent, Stream } from "../process_event.ts";
import { type Line, LineCutter, type Place } from "./line_cutter.ts";
import { LineSearch } from "./line_search.ts";

/** So much of a log is looked at before we ask whether it is somebody else's turn. */
const PAGE_BYTES = 512 * 1024;
/** So many characters at a time: the worst pattern takes a few milliseconds for them. */
const SLICE_CHARACTERS = 128;
/** Where the last lines are looked for first, counted in events from the end; then so many times as far. */
const NEAR_END = 64;
const FARTHER = 8;

const STREAMS: readonly Stream[] = ["stdout", "stderr", "pty"];

/** How far a log was looked through, and where in it the next line of each stream begins if that is before. */
export type SearchPlace = { readonly afterSeq: number } & { readonly [stream in Stream]?: Place };

export interface SearchOptions {
  readonly from: SearchPlace;
  readonly stream: Stream | null;
  readonly grep: string | null;
  readonly head: number | null;
  readonly tail: number | null;
  /** The most bytes that are found at once; one line more at most. */
  readonly limit: number;
  /** More will be asked for: an unfinished line waits for its rest. */
  readonly follow: boolean;
  /** Asked again and again: a promise where somebody else has his turn first. */
  readonly breathe: () => Promise<void> | null;
  readonly givenUp: AbortSignal;
}

export interface Found {
  readonly chunks: readonly Omit<OutputEvent, "type">[];
  readonly gaps: readonly GapEvent[];
  readonly place: SearchPlace;
  /** It was full before the end of the log. */
  readonly more: boolean;
  /** Of the last lines the oldest did not fit. */
  readonly isCut: boolean;
}

/** What is asked for of a log, as far as it is kept. Throws a PatternError. */
export async function searchLog(log: EventLog, options: SearchOptions): Promise<Found> {
  const { grep, head, tail, from } = options;
  if (grep === null && head === null && tail === null) return await readOn(log, options);
  const pattern = grep === null ? null : new LineSearch(grep);
  // Nothing that is there already: only what comes is wanted.
  if (tail === 0) {
    return { chunks: [], gaps: [], place: { afterSeq: log.nextSeq - 1 }, more: false, isCut: false };
  }
  if (tail === null || pattern !== null || tail === 0) {
    return await new Search(log, options, pattern, from).run();
  }
  for (let near = NEAR_END;; near *= FARTHER) {
    const afterSeq = Math.max(from.afterSeq, log.nextSeq - 1 - near);
    if (afterSeq === from.afterSeq) return await new Search(log, options, null, from).run();
    const search = new Search(log, options, null, { afterSeq }, true);
    const found = await search.run();
    if (search.taken >= tail || options.givenUp.aborted) return found;
  }
}

/** The output as it is, without asking where its lines end. */
async function readOn(
  log: EventLog,
  { from, stream, limit, breathe, givenUp }: SearchOptions,
): Promise<Found> {
  let afterSeq = from.afterSeq;
  const [chunks, gaps]: [OutputEvent[], GapEvent[]] = [[], []];
  let bytes = 0;
  while (bytes < limit && !givenUp.aborted) {
    const page = await log.page(afterSeq, Math.min(limit - bytes, PAGE_BYTES));
    gaps.push(...page.gaps);
    for (const chunk of page.chunks) {
      if (stream !== null && chunk.stream !== stream) continue;
      chunks.push(chunk);
      bytes += chunk.bytes.length;
    }
    afterSeq = Math.max(afterSeq, page.nextSeq - 1);
    if (afterSeq >= log.nextSeq - 1) break;
    await breathe();
  }
  return { chunks, gaps, place: { afterSeq }, more: afterSeq < log.nextSeq - 1, isCut: false };
}

/** One way through a log, line by line. */
class Search {
  readonly #cutter = new LineCutter();
  #kept: Line[] = [];
  #first = 0; // of those, where only the last are wanted
  #bytes = 0;
  #isCut = false;
  readonly #gaps: GapEvent[] = [];
  /** Where a line of that stream ended at which we stopped. */
  #stop: Line | null = null;
  /** Streams whose first line began before we looked. */
  readonly #unknown: Set<Stream>;
  /** How many lines were wanted, dropped ones too. */
  taken = 0;

  constructor(
    private readonly log: EventLog,
    private readonly options: SearchOptions,
    private readonly pattern: LineSearch | null,
    private readonly from: SearchPlace,
    beginsInside = false,
  ) {
    this.#unknown = new Set(beginsInside ? STREAMS : []);
  }

  async run(): Promise<Found> {
    const { givenUp, head, tail, follow } = this.options;
    let afterSeq = Math.min(
      this.from.afterSeq,
      ...STREAMS.map((stream) => (this.from[stream]?.seq ?? Infinity) - 1),
    );
    let isOver = head === 0;
    while (!isOver && !givenUp.aborted) {
      const page = await this.log.page(afterSeq, PAGE_BYTES);
      for (const event of inOrder(page)) {
        afterSeq = event.seq;
        if (event.type === "gap") {
          await this.#takeRest(); // what was cut off by it has no rest
          this.#gaps.push(event);
        } else if (!await this.#scan(event)) return this.#found(afterSeq, true);
      }
      if (page.chunks.length === 0) {
        afterSeq = Math.max(afterSeq, page.nextSeq - 1);
        isOver = afterSeq >= this.log.nextSeq - 1;
      }
      await this.options.breathe();
    }
    // Whoever asked for the last lines as they are goes on without asking where they end.
    const isLast = tail !== null && this.pattern === null;
    if (!follow || isLast || this.log.closed !== null) {
      await this.#takeRest();
    }
    return this.#found(afterSeq, false);
  }

  /** False where enough was found. */
  async #scan(chunk: OutputEvent): Promise<boolean> {
    const { stream } = this.options;
    if (stream !== null && chunk.stream !== stream) return true;
    for (const line of this.#cutter.cut(chunk, this.#skip(chunk))) {
      if (this.#unknown.delete(line.stream)) continue;
      // Most lines are short, and most are not wanted: a promise for each would cost more than to look.
      const isWanted = this.#isInShort(line.bytes) ?? await this.#isIn(line.bytes);
      if (isWanted && !this.#take(line)) {
        this.#stop = line;
        return false;
      }
      const turn = this.pattern === null ? null : this.options.breathe();
      if (turn !== null) await turn;
      if (this.options.givenUp.aborted) return true;
    }
    return true;
  }

  #skip({ seq, stream, bytes }: OutputEvent): number {
    const place = this.from[stream];
    if (place === undefined) return seq <= this.from.afterSeq ? bytes.length : 0;
    if (seq !== place.seq) return seq < place.seq ? bytes.length : 0;
    return place.skip;
  }

  /** False where enough was found. */
  #take(line: Line): boolean {
    const { head, tail, limit } = this.options;
    this.taken += 1;
    this.#kept.push(line);
    this.#bytes += line.bytes.length;
    if (tail === null) return this.#bytes < limit && this.taken !== head;
    while (this.#kept.length - this.#first > tail) this.#dropFirst();
    while (this.#bytes > limit && this.#kept.length - this.#first > 1) {
      this.#dropFirst();
      this.#isCut = true;
    }
    return true;
  }

  #dropFirst(): void {
    this.#bytes -= this.#kept[this.#first]!.bytes.length;
    this.#first += 1;
    if (this.#first < 1_024) return;
    this.#kept = this.#kept.slice(this.#first);
    this.#first = 0;
  }

  /** What was unfinished is not any more. */
  async #takeRest(): Promise<void> {
    for (const line of this.#cutter.rest()) if (await this.#isIn(line.bytes)) this.#take(line);
  }

  /** null where that would take too long in one go, or is no ASCII. */
  #isInShort(bytes: Uint8Array): boolean | null {
    if (this.pattern === null) return true;
    if (bytes.length > SLICE_CHARACTERS) return null;
    let end = bytes.length;
    if (bytes[end - 1] === 10) end -= bytes[end - 2] === 13 ? 2 : 1;
    this.pattern.begin();
    const found = this.pattern.feedAscii(bytes, 0, end);
    return found === false ? this.pattern.end() : found;
  }

  async #isIn(bytes: Uint8Array): Promise<boolean> {
    const { pattern } = this;
    if (pattern === null) return true;
    const text = new TextDecoder().decode(bytes).replace(/\r?\n$/, "");
    pattern.begin();
    for (let start = 0; start < text.length; start += SLICE_CHARACTERS) {
      if (pattern.feed(text, start, Math.min(text.length, start + SLICE_CHARACTERS))) return true;
      const turn = this.options.breathe();
      if (turn !== null) await turn;
      if (this.options.givenUp.aborted) return false;
    }
    return pattern.end();
  }

  #found(afterSeq: number, more: boolean): Found {
    const places = STREAMS.flatMap((stream) => {
      const place = this.#stop?.stream === stream ? this.#stop.next : this.#cutter.begins(stream);
      return place === null ? [] : [[stream, place] as const];
    });
    return {
      chunks: this.#kept.slice(this.#first),
      gaps: this.#gaps,
      place: { afterSeq, ...Object.fromEntries(places) },
      more,
      isCut: this.#isCut,
    };
  }
}

function inOrder({ chunks, gaps }: LogPage): readonly (OutputEvent | GapEvent)[] {
  return gaps.length === 0 ? chunks : [...gaps, ...chunks].sort((a, b) => a.seq - b.seq);
}

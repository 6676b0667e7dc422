import { writeSync } from "node:fs";
import type { Notices } from "../run/notices.ts";
import type { Kept } from "./arrival.ts";
import { shownPath } from "./byte_path.ts";
import { Meter, type Progress, progressLine } from "./progress.ts";

const STDERR = 2;
const STDOUT = 1;
/** Often enough to look alive, seldom enough to cost nothing. */
const REDRAW_MS = 200;
const EVENT_MS = 1_000;

/** What `cp --json` prints, one a line; each also carries `ms`, counted from our start. */
export type CopyEvent =
  | { readonly event: "start"; readonly files: number; readonly bytes: number | null }
  | { readonly event: "progress" } & Progress
  | { readonly event: "resume"; readonly file: string; readonly offset: number }
  | { readonly event: "restart"; readonly file: string }
  | { readonly event: "kept"; readonly file: string; readonly part: string; readonly bytes: number }
  | {
    readonly event: "error";
    readonly message: string;
    readonly hint: string | null;
    readonly status?: number;
  }
  | { readonly event: "done"; readonly files: number; readonly bytes: number };

export interface ViewOptions {
  /** Draw a bar on stderr. */
  readonly bar: boolean;
  readonly json: boolean;
  readonly notices: Notices;
}

/** What the user sees of a copy while it goes on. */
export class CopyView implements Disposable {
  readonly #startedAt = performance.now();
  readonly #meter = new Meter(this.#startedAt);
  readonly #timer: Timer | null;
  #name = "";
  #short = "";
  #isDrawn = false;
  /** What was copied in this run; the meter also counts what was there already. */
  #moved = 0;

  constructor(private readonly options: ViewOptions) {
    const tick = options.json ? () => this.#tellProgress() : options.bar ? () => this.#draw() : null;
    this.#timer = tick === null ? null : setInterval(tick, options.json ? EVENT_MS : REDRAW_MS);
  }

  expect(files: number, bytes: number | null): void {
    this.#meter.expect(bytes, files);
    this.#tell({ event: "start", files, bytes });
  }

  /** `short` is what there is room for in a line of progress. */
  begin(name: string, short: string): void {
    this.#name = name;
    this.#short = short;
  }

  carried(bytes: number): void {
    this.#moved += bytes;
    this.#meter.carried(bytes, performance.now());
  }

  /** So much less is left to do, or more. `offset` is where this file goes on. */
  skipped(bytes: number, offset: number): void {
    this.#meter.skipped(bytes);
    if (offset === 0) return;
    this.#tell({ event: "resume", file: this.#name, offset });
    this.say(`${this.#name}: going on after ${offset} bytes that are there already`);
  }

  startsAgain(): void {
    this.#tell({ event: "restart", file: this.#name });
    this.say(`${this.#name}: connection lost; the server cannot go on with a file, so this one starts again`);
  }

  kept({ path, bytes }: Kept): void {
    const part = shownPath(path);
    this.#tell({ event: "kept", file: this.#name, part, bytes });
    this.say(`${this.#name}: ${bytes} bytes stay in ${part}; the same copy goes on after them`);
  }

  fileDone(): void {
    this.#meter.fileDone();
  }

  say(text: string): void {
    this.#clear();
    this.options.notices.say(text);
  }

  detail(text: string): void {
    this.#clear();
    this.options.notices.detail(text);
  }

  /** One thing of many that could not be copied; the others go on. */
  problem(message: string, hint: string | null): void {
    this.#clear();
    this.#tell({ event: "error", message, hint });
    if (!this.options.json) writeLine(STDERR, `exec-server: ${message}`);
    if (!this.options.json && hint !== null) writeLine(STDERR, `Hint: ${hint}`);
  }

  failed(message: string, hint: string | null, status: number): void {
    this.#tell({ event: "error", message, hint, status });
  }

  done(): void {
    const { files } = this.#meter.at(performance.now());
    this.#draw();
    this.#tell({ event: "done", files, bytes: this.#moved });
  }

  [Symbol.dispose](): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    if (this.#isDrawn) writeLine(STDERR, "");
    this.#isDrawn = false;
  }

  #draw(): void {
    if (!this.options.bar || this.options.json) return;
    const line = progressLine(this.#short, this.#meter.at(performance.now()), process.stderr.columns || 80);
    this.#isDrawn = true;
    write(STDERR, `\r\x1b[K${line}`);
  }

  #clear(): void {
    if (this.#isDrawn) write(STDERR, "\r\x1b[K");
    this.#isDrawn = false;
  }

  #tellProgress(): void {
    this.#tell({ event: "progress", ...this.#meter.at(performance.now()) });
  }

  #tell(event: CopyEvent): void {
    if (!this.options.json) return;
    const ms = Math.round(performance.now() - this.#startedAt);
    writeLine(STDOUT, JSON.stringify({ ...event, ms }));
  }
}

function writeLine(fd: number, text: string): void {
  write(fd, `${text}\n`);
}

function write(fd: number, text: string): void {
  try {
    writeSync(fd, text);
  } catch {
    // Nobody looks; the copy matters more than telling of it.
  }
}

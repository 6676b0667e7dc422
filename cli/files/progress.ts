/** What is known of a copy at a moment. */
export interface Progress {
  /** Carried so far, and all there is; null where nobody knows. */
  readonly bytes: number;
  readonly total: number | null;
  readonly files: number;
  readonly totalFiles: number | null;
  /** Bytes a second of late. */
  readonly rate: number;
  readonly secondsLeft: number | null;
}

/** What is older does not tell how fast it is now. */
const WINDOW_MS = 5_000;
/** Of one moment and the next, that are kept. */
const GRAIN_MS = 100;

/** Counts what was carried, and tells how fast that is. Time comes in with every word. */
export class Meter {
  #bytes = 0;
  #files = 0;
  #total: number | null = null;
  #totalFiles: number | null = null;
  #marks: { readonly at: number; readonly bytes: number }[];
  /** What was there from an earlier run took no time of this one. */
  #skipped = 0;

  constructor(now: number) {
    this.#marks = [{ at: now, bytes: 0 }];
  }

  expect(bytes: number | null, files: number | null): void {
    this.#total = bytes;
    this.#totalFiles = files;
  }

  carried(bytes: number, now: number): void {
    this.#bytes += bytes;
    const last = this.#marks.at(-1)!;
    const mark = { at: now, bytes: this.#bytes - this.#skipped };
    if (this.#marks.length > 1 && now - last.at < GRAIN_MS) {
      this.#marks[this.#marks.length - 1] = { ...mark, at: last.at };
    } else this.#marks.push(mark);
    while (this.#marks.length > 2 && now - this.#marks[1]!.at > WINDOW_MS) this.#marks.shift();
  }

  /** It was carried before. A negative number takes back what has to be carried again. */
  skipped(bytes: number): void {
    this.#bytes += bytes;
    this.#skipped += bytes;
  }

  fileDone(): void {
    this.#files++;
  }

  at(now: number): Progress {
    const first = this.#marks[0]!;
    const seconds = (now - first.at) / 1000;
    const rate = seconds > 0 ? Math.max(0, (this.#bytes - this.#skipped - first.bytes) / seconds) : 0;
    const left = this.#total === null ? null : Math.max(0, this.#total - this.#bytes);
    return {
      bytes: this.#bytes,
      total: this.#total,
      files: this.#files,
      totalFiles: this.#totalFiles,
      rate,
      secondsLeft: left === null ? null : left === 0 ? 0 : rate > 0 ? left / rate : null,
    };
  }
}

/** One line for a terminal of that width: what, how much, how fast, how long. */
export function progressLine(name: string, progress: Progress, columns: number): string {
  const { bytes, total, rate, secondsLeft, files, totalFiles } = progress;
  const percent = total === null
    ? ""
    : `${String(total === 0 ? 100 : Math.floor(Math.min(1, bytes / total) * 100)).padStart(3)}%`;
  const parts = [
    percent,
    sizeText(bytes).padStart(9),
    `${sizeText(rate)}/s`.padStart(11),
    secondsLeft === null ? "" : `${timeText(secondsLeft)} left`,
    totalFiles === null || totalFiles === 1 ? "" : `${files}/${totalFiles} files`,
  ];
  const tail = parts.filter((part) => part !== "").join("  ");
  const room = columns - 1 - tail.length - 2; // the last column would wrap on some terminals
  if (room < 8) return tail.slice(0, Math.max(0, columns - 1));
  const barWidth = total === null ? 0 : Math.min(20, Math.floor(room / 3));
  const bar = barWidth < 5 ? "" : `  ${barText(total === 0 ? 1 : bytes / total!, barWidth)}`;
  return `${fitted(name, room - bar.length)}${bar}  ${tail}`;
}

function barText(part: number, width: number): string {
  const full = Math.round(Math.max(0, Math.min(1, part)) * (width - 2));
  return `[${"#".repeat(full)}${" ".repeat(width - 2 - full)}]`;
}

function fitted(name: string, width: number): string {
  const characters = [...name];
  const text = characters.length <= width ? name : `${characters.slice(0, width - 1).join("")}…`;
  return text + " ".repeat(Math.max(0, width - [...text].length));
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

export function sizeText(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 999.5 && unit < UNITS.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${unit === 0 ? Math.round(value) : value.toFixed(value < 9.95 ? 1 : 0)} ${UNITS[unit]}`;
}

export function timeText(seconds: number): string {
  const whole = Math.ceil(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const two = (number: number) => String(number).padStart(2, "0");
  if (hours > 99) return ">99h";
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

import { writeSync } from "node:fs";
import { shownText } from "../shown_text.ts";

const STDERR = 2;

export interface NoticeOptions {
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly color: "auto" | "always" | "never";
}

/** What we say ourselves, on stderr, between the command's own words: one line each. */
export class Notices {
  /** While the terminal is raw a newline alone would only go down. */
  rawTerminal = false;
  readonly #said = new Set<string>();

  constructor(private readonly options: NoticeOptions) {}

  /** What the user should know; `--quiet` silences it. */
  say(text: string): void {
    if (!this.options.quiet) this.#write(text);
  }

  /** What is said even to those who asked for quiet: something that they asked for as well is not done. */
  warn(text: string): void {
    this.#write(text);
  }

  /** What only `--verbose` asks for; the same words are said once. */
  detail(text: string): void {
    if (!this.options.verbose || this.#said.has(text)) return;
    this.#said.add(text);
    this.#write(text);
  }

  #write(text: string): void {
    const end = this.rawTerminal ? "\r\n" : "\n";
    const line = `exec-server: ${shownText(text)}`;
    try {
      writeSync(STDERR, (this.#isColored() ? `\x1b[33m${line}\x1b[0m` : line) + end);
    } catch {
      // Nobody listens there; what we are about is more important than telling of it.
    }
  }

  /** Asked only when there is something to say: the answer takes longer than a short command. */
  #isColored(): boolean {
    const { color } = this.options;
    return color === "auto" ? allowsColor(process.env) && process.stderr.isTTY : color === "always";
  }
}

function allowsColor(env: Readonly<Record<string, string | undefined>>): boolean {
  return !env["NO_COLOR"] && env["TERM"] !== "dumb";
}

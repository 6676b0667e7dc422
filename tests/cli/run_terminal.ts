import { Heard, ROOT, RUN } from "./run_program.ts";

/** A terminal with a person at it, who types and looks. The shell in it understands `$RUN`. */
export class Person implements AsyncDisposable {
  readonly #seen = new Heard();
  readonly #shell: Bun.Subprocess;

  constructor(line: string, size = { rows: 24, cols: 80 }) {
    const program = RUN.map((word) => `'${word}'`).join(" ");
    this.#shell = Bun.spawn(["bash", "--norc", "-c", line.replaceAll("$RUN", program)], {
      cwd: ROOT,
      env: {
        ...process.env,
        EXEC_SERVER_URL: undefined,
        CODEX_EXEC_SERVER_URL: undefined,
        TERM: "xterm",
        LESS: undefined,
      },
      terminal: { ...size, data: (_, bytes) => this.#seen.add(bytes) },
    });
  }

  /** All that was shown so far, escape sequences included. */
  get seen(): string {
    return this.#seen.text;
  }

  async sees(words: string | RegExp): Promise<void> {
    await this.#seen.until(words);
  }

  types(keys: string): void {
    this.#shell.terminal!.write(keys);
  }

  resizes(rows: number, cols: number): void {
    this.#shell.terminal!.resize(cols, rows);
  }

  get end(): Promise<number> {
    return this.#shell.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#shell.kill("SIGKILL");
    this.#shell.terminal!.close();
    await this.#shell.exited;
  }
}

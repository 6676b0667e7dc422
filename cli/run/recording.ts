import type { Clock } from "../../lib/base/clock.ts";
import { osErrorWords } from "../../lib/base/os_error.ts";
import type { Environment } from "../../lib/environment/environment.ts";
import type { Abilities, TerminalSize } from "../../lib/process/backend.ts";
import type { Notices } from "./notices.ts";
import type { OutputSink } from "./pump.ts";
import { RecordingFile } from "./recording_file.ts";
import { type RecordingEvent, RecordingLines } from "./recording_lines.ts";
import type { RunPlan } from "./run_plan.ts";
import type { UserTerminal } from "./user_terminal.ts";

/** What a recording watches of a run. */
interface Watched {
  readonly plan: RunPlan;
  readonly abilities: Abilities;
  readonly environment: Environment;
  /** What its place is called; null right here. */
  readonly name: string | null;
  readonly terminal: UserTerminal | null;
}

/** What a place gives a command whose size nobody told it. */
const USUAL_SIZE: TerminalSize = { rows: 24, cols: 80 };

/**
 * The recording of one run, as it goes. What is typed is in it only where the terminal shows it: a password
 * is not. Its failure is told once and
 * changes nothing else: the command, its output and its status are what the user came for.
 */
export class Recording implements AsyncDisposable {
  readonly #lines = new RecordingLines();
  #state: "fresh" | "going" | "broken" | "over" = "fresh";
  #beganAt = 0;
  #exit: { readonly code: number; readonly at: number } | null = null;
  #written: Promise<void> = Promise.resolve();
  #unwatch: () => void = () => {};

  private constructor(
    private readonly path: string,
    private readonly file: RecordingFile,
    private readonly notices: Notices,
    private readonly clock: Clock,
  ) {}

  /** Before the command starts, so that one that cannot be recorded does not. Throws a CommandError. */
  static create(path: string, notices: Notices, clock: Clock): Recording {
    return new Recording(path, RecordingFile.create(path), notices, clock);
  }

  /** The command has started, on a terminal of that size; null is the usual. Without this the file goes again. */
  begin({ plan, name, abilities, environment, terminal }: Watched, size: TerminalSize | null): void {
    this.#state = "going";
    this.#beganAt = this.clock.now();
    this.#append(RecordingLines.header({
      size: size ?? USUAL_SIZE,
      terminalType: plan.env["TERM"] ?? null,
      // Ours is not that of another machine.
      shell: name === null ? process.env["SHELL"] ?? null : null,
      startedAt: Math.floor(Date.now() / 1000),
    }));
    // A plain Codex server never tells the command, which goes on drawing for the first size.
    if (abilities.terminal) terminal?.onResize((size) => this.#tell({ kind: "resize", size }));
    let isUp = true;
    this.#unwatch = environment.onLinkState(({ state }) => {
      if (state !== "connected" && state !== "recovering") return;
      if (isUp === (state === "connected")) return;
      isUp = !isUp;
      this.#tell({ kind: "marker", label: isUp ? "connected again" : "connection lost" });
    }) ?? (() => {});
  }

  /** A sink that hands on what it is given when that is in the file: what was seen is recorded, and nothing piles up. */
  before(sink: OutputSink): OutputSink {
    return {
      output: async (stream, bytes) => {
        await this.#tell({ kind: "output", bytes });
        await sink.output(stream, bytes);
      },
      gap: async (bytes) => {
        await this.#tell({ kind: "gap", bytes });
        await sink.gap(bytes);
      },
      exited: (code, sandboxDenied, account) => {
        // Told last, as the format has it: others may still print on the terminal.
        this.#exit = { code: code & 0xff, at: this.clock.now() };
        return sink.exited(code, sandboxDenied, account);
      },
      closed: () => sink.closed(),
    };
  }

  /** Resolves when all of it is in the file. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#unwatch();
    this.#tell({ kind: "end", exitCode: this.#exit?.code ?? null }, this.#exit?.at);
    if (this.#state === "going") this.#state = "over";
    await this.#written;
    await this.file[Symbol.asyncDispose]().catch((error) => this.#broke(error));
  }

  #tell(event: RecordingEvent, at = this.clock.now()): Promise<void> {
    if (this.#state !== "going") return Promise.resolve();
    return this.#append(this.#lines.of(event, at - this.#beganAt));
  }

  /** Resolves when the lines are in the file, or never will be. */
  #append(lines: string): Promise<void> {
    this.#written = this.#written.then(async () => {
      if (lines !== "" && this.#state !== "broken") await this.file.append(lines);
    }).catch((error) => this.#broke(error));
    return this.#written;
  }

  #broke(error: unknown): void {
    this.#state = "broken";
    this.notices.warn(`the recording in ${this.path} is not complete: ${osErrorWords(error)}`);
  }
}

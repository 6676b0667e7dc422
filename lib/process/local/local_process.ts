import { type Clock, systemClock, type Timer } from "../../base/clock.ts";
import type { ProcessHandle, Signal, StartOptions, TerminalSize, WriteStatus } from "../backend.ts";
import { EventLog, type LogPage, RETAINED_BYTES } from "../event_log.ts";
import type { Stream } from "../process_event.ts";
import { type LifeEvent, nextLife, type ProcessLife } from "../process_life.ts";
import { readLog, type ReadOptions } from "../read_log.ts";
import type { Child, ChildExit, ChildListener } from "./child.ts";
import { ChildGroup } from "./child_group.ts";
import type { DenialJudge } from "./confinement.ts";
import { StdinQueue } from "./stdin_queue.ts";

// The two drains below wait for the kernel to hand over what is there already, so they go by real time always.

/** The most bytes in one event: larger costs nothing less, and peers refuse events above 1 MiB. */
const CHUNK_BYTES = 64 * 1024;
/** What a child printed just before its end is told before the end, if it can be read within this time. */
const EXIT_DRAIN_MS = 5;
/** The same where its last words tell whether it was denied something: the protocol's number. */
const DENIAL_DRAIN_MS = 20;
/** After a kill, or when nobody can ask any more, somebody who escaped the group may hold the output open: we read what is there and let go. */
const KILLED_DRAIN_MS = 50;

/** One process on this machine: records what its child does, and passes on what is asked of it. */
export class LocalProcess implements ProcessHandle, ChildListener {
  readonly processId: string;
  readonly log = new EventLog();
  /** Resolves once everything is told: exited, and every stream ended. */
  readonly whenClosed: Promise<void>;
  #life: ProcessLife = { state: "running" };
  #exit: ChildExit | null = null;
  #exitTimer: Timer | null = null;
  #graceTimer: Timer | null = null;
  #openStreams: Set<Stream>;
  #terminated = false;
  #child: Child | null = null;
  #pid: number | null = null;
  #group: ChildGroup | null = null;
  #stdin: StdinQueue | null = null;
  #tellClosed!: () => void;

  /** Only what is asked again later: argv and env may be megabytes, and this stays for a while after the end. */
  private readonly options: Pick<StartOptions, "tty" | "terminalSignalExit">;

  constructor(
    options: StartOptions,
    private readonly clock: Clock,
    /** null: nobody asked for a sandbox, so none denies anything. */
    private readonly isDenied: DenialJudge | null = null,
  ) {
    this.processId = options.processId;
    this.options = { tty: options.tty, terminalSignalExit: options.terminalSignalExit };
    this.#openStreams = new Set(options.tty ? ["pty"] : ["stdout", "stderr"]);
    this.whenClosed = new Promise((resolve) => (this.#tellClosed = resolve));
  }

  /** Binds the record to its child; the child's first words may come right after. */
  adopt(child: Child): void {
    this.#child = child;
    this.#pid = child.pid;
    this.#group = new ChildGroup(child.pid);
    this.#stdin = child.stdin === null ? null : new StdinQueue(child.stdin, this.options.tty);
  }

  get pid(): number | null {
    return this.#pid;
  }

  read(options: ReadOptions, givenUp: AbortSignal): LogPage | Promise<LogPage> {
    return readLog(this.log, options, this.clock, givenUp);
  }

  write(bytes: Uint8Array, writeId: string, givenUp?: AbortSignal): WriteStatus | Promise<WriteStatus> {
    return this.#stdin === null ? "stdinClosed" : this.#stdin.write(bytes, writeId, givenUp);
  }

  closeInput(writeId: string, givenUp?: AbortSignal): WriteStatus | Promise<WriteStatus> {
    return this.#stdin === null ? "stdinClosed" : this.#stdin.close(writeId, givenUp);
  }

  signal(signal: Signal): void {
    if (this.#exit !== null || this.#terminated) return;
    if (signal === "STOP" && this.#child?.stop?.()) return;
    this.#group?.signal(signal);
  }

  resize(size: TerminalSize): void {
    this.#child?.resize?.(size);
  }

  terminate(grace?: { signal: Signal; ms: number }): boolean {
    if (this.#life.state !== "running") return false;
    if (grace === undefined || grace.ms <= 0) {
      this.#force();
    } else if (!this.#terminated) {
      this.#group?.signal(grace.signal);
      this.#graceTimer?.cancel();
      this.#graceTimer = this.clock.after(grace.ms, () => {
        this.#force();
        // The child may have obeyed, and what it started not.
        this.#group?.kill();
      });
    }
    return true;
  }

  /** Kills whoever is left of it, also after its exit, and listens to nobody who escaped: the owner is gone. */
  killLeftovers(): void {
    this.terminate();
    this.#group?.kill();
    this.#graceTimer?.cancel();
    // As long as the child itself lives, its exit says when to let go.
    if (this.#exit !== null && this.#life.state !== "closed") this.#letGoSoon();
  }

  output(stream: Stream, bytes: Uint8Array): Promise<void> | null {
    for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
      this.log.appendOutput(
        stream,
        bytes.length <= CHUNK_BYTES ? bytes : bytes.slice(start, start + CHUNK_BYTES),
      );
    }
    // A killed child's last words are few, and whoever ended it waits for the end.
    return this.log.isHeld && !this.#terminated ? this.log.whenRoom() : null;
  }

  streamEnded(stream: Stream): void {
    this.#openStreams.delete(stream);
    if (this.#openStreams.size > 0 || this.#exit === null) return;
    this.#tellExit();
    this.#move({ type: "closed" });
  }

  exited(exit: ChildExit): void {
    this.#exit = exit;
    this.#group?.leaderReaped();
    this.#stdin?.end();
    if (this.#openStreams.size === 0) {
      this.#tellExit();
      this.#move({ type: "closed" });
    } else if (this.#terminated) {
      this.#letGoSoon();
    } else {
      const drainMs = this.isDenied !== null && this.#exitCode() !== 0 ? DENIAL_DRAIN_MS : EXIT_DRAIN_MS;
      this.#exitTimer = systemClock.after(drainMs, () => this.#tellExit());
    }
  }

  /** Reads what is there, and then no more, whoever may hold the other end. */
  #letGoSoon(): void {
    this.#exitTimer?.cancel();
    this.#exitTimer = systemClock.after(KILLED_DRAIN_MS, () => {
      this.#tellExit();
      this.#child?.stopReading();
    });
  }

  #force(): void {
    if (this.#terminated || this.#exit !== null) return;
    this.#terminated = true;
    this.#group?.kill();
    this.#stdin?.cut();
  }

  #tellExit(): void {
    this.#exitTimer?.cancel();
    this.#move({ type: "exited", exitCode: this.#exitCode() });
  }

  #exitCode(): number {
    const exit = this.#exit!;
    if ("code" in exit) return exit.code;
    return this.options.tty && this.options.terminalSignalExit === "one" ? 1 : 128 + exit.signal;
  }

  /** The only place where the life moves on, and where that is told. */
  #move(event: LifeEvent): void {
    const before = this.#life;
    this.#life = nextLife(before, event);
    if (this.#life === before) return;
    if (this.#life.state === "exited") {
      const { exitCode } = this.#life;
      this.log.appendExited(
        exitCode,
        this.isDenied?.(exitCode, this.log.lastOutput(RETAINED_BYTES)) ?? false,
      );
    }
    if (this.#life.state !== "closed") return;
    this.#child = null; // with its readers, which are most of what a kept process would cost
    this.log.appendClosed();
    this.#tellClosed();
  }
}

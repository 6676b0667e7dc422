import { type Clock, systemClock, type Timer } from "../../base/clock.ts";
import type { ProcessHandle, Signal, StartOptions, TerminalSize, WriteStatus } from "../backend.ts";
import type { Ending, LimitName } from "../limits.ts";
import { EventLog, type LogPage, RETAINED_BYTES } from "../event_log.ts";
import type { Stream } from "../process_event.ts";
import { type LifeEvent, nextLife, type ProcessLife } from "../process_life.ts";
import { readLog, type ReadOptions } from "../read_log.ts";
import type { Spool } from "../spool.ts";
import { accountOf, type Counted } from "./account_of.ts";
import type { Child, ChildExit, ChildListener, Spent } from "./child.ts";
import { ChildGroup } from "./child_group.ts";
import type { DenialJudge } from "./confinement.ts";
import { LimitWatch } from "./limit_watch.ts";
import { StdinQueue } from "./stdin_queue.ts";
import { ProcessTree } from "./tree/process_tree.ts";
import { quickTrees, type TreeSupport } from "./tree/tree_support.ts";

// The two drains below wait for the kernel to hand over what is there already, so they go by real time always.

/** The most bytes in one event: larger costs nothing less, and peers refuse events above 1 MiB. */
const CHUNK_BYTES = 64 * 1024;
/** What a child printed just before its end is told before the end, if it can be read within this time. */
const EXIT_DRAIN_MS = 5;
/** The same where its last words tell whether it was denied something: the protocol's number. */
const DENIAL_DRAIN_MS = 20;
/** After a kill, or when nobody can ask any more, somebody who escaped the group may hold the output open: we read what is there and let go. */
const KILLED_DRAIN_MS = 50;

/** Asked politely, whoever met a limit has this long. */
const USUAL_ENDING: Ending = { signal: "TERM", ms: 5_000 };

/** One process on this machine: records what its child does, and passes on what is asked of it. */
export class LocalProcess implements ProcessHandle, ChildListener {
  readonly processId: string;
  readonly log: EventLog;
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
  readonly tree: ProcessTree;
  readonly #limits: LimitWatch;
  readonly #counted: Counted;
  #metLimit: LimitName | null = null;

  /** Only what is asked again later: argv and env may be megabytes, and this stays for a while after the end. */
  private readonly options: Pick<StartOptions, "tty" | "terminalSignalExit" | "ending">;

  constructor(
    options: StartOptions,
    private readonly clock: Clock,
    /** null: nobody asked for a sandbox, so none denies anything. */
    private readonly isDenied: DenialJudge | null = null,
    /** For the output that memory does not hold. */
    spool: Spool | null = null,
    trees: () => TreeSupport = quickTrees,
  ) {
    this.log = new EventLog(spool);
    this.processId = options.processId;
    const { tty, terminalSignalExit, ending, limits, leftovers } = options;
    this.options = { tty, terminalSignalExit, ...(ending === undefined ? {} : { ending }) };
    this.tree = new ProcessTree({
      ...(leftovers === undefined ? {} : { leftovers }),
      ...(limits === undefined ? {} : { limits }),
    }, trees);
    this.#limits = new LimitWatch(limits ?? {}, clock, this.tree, (limit) => this.#limitMet(limit));
    this.#counted = { startedAt: clock.now(), bytes: {} };
    this.#openStreams = new Set(options.tty ? ["pty"] : ["stdout", "stderr"]);
    this.whenClosed = new Promise((resolve) => (this.#tellClosed = resolve));
  }

  /** Binds the record to its child; the child's first words may come right after. */
  adopt(child: Child): void {
    this.#child = child;
    this.#pid = child.pid;
    this.#group = new ChildGroup(child.pid);
    this.#stdin = child.stdin === null ? null : new StdinQueue(child.stdin, this.options.tty);
    this.#counted.startedAt = this.clock.now();
    this.#limits.begin();
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

  terminate(grace?: Ending): boolean {
    if (this.#life.state !== "running") {
      this.#endLeftovers();
      return false;
    }
    if (grace === undefined || grace.ms <= 0) {
      this.#force();
    } else if (!this.#terminated) {
      this.#group?.signal(grace.signal);
      this.tree.signalOthers(grace.signal);
      this.#graceTimer?.cancel();
      this.#graceTimer = this.clock.after(grace.ms, () => {
        this.#graceTimer = null;
        this.#force();
        // The child may have obeyed, and what it started not.
        this.#group?.kill();
        this.tree.kill();
      });
    }
    return true;
  }

  /** Kills whoever is left of it, also after its exit, and listens to nobody who escaped: the owner is gone. */
  killLeftovers(): void {
    const { leftovers } = this.tree;
    const areKept = this.#exit !== null && (leftovers === "keep" || leftovers === "report");
    this.terminate();
    if (!areKept) {
      this.#group?.kill();
      this.tree.kill();
    }
    this.#graceTimer?.cancel();
    // As long as the child itself lives, its exit says when to let go.
    if (this.#exit !== null && this.#life.state !== "closed") this.#letGoSoon();
  }

  /** How many there are of its tree whom nothing has killed yet; null where only its group is known. */
  survivors(): number | null {
    return this.tree.isWanted ? this.tree.living().length : null;
  }

  output(stream: Stream, bytes: Uint8Array): Promise<void> | null {
    this.#counted.bytes[stream] = (this.#counted.bytes[stream] ?? 0) + bytes.length;
    for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
      this.log.appendOutput(
        stream,
        bytes.length <= CHUNK_BYTES ? bytes : bytes.slice(start, start + CHUNK_BYTES),
      );
    }
    // A killed child's last words are few, and whoever ended it waits for the end.
    const held = this.log.isHeld && !this.#terminated ? this.log.whenRoom() : null;
    this.#limits.printed(bytes.length, held);
    return held;
  }

  streamEnded(stream: Stream): void {
    this.#openStreams.delete(stream);
    if (this.#openStreams.size > 0 || this.#exit === null) return;
    this.#tellExit();
    this.#move({ type: "closed" });
  }

  exited(exit: ChildExit, spent: Spent): void {
    this.#exit = exit;
    this.#counted.spent = spent;
    this.#counted.endedAt = this.clock.now();
    this.#limits.end();
    this.#metLimit ??= this.tree.breach();
    this.#group?.leaderReaped();
    this.tree.leaderReaped();
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
    this.tree.kill();
    this.#stdin?.cut();
  }

  /** After the exit: as was asked at the start, whoever asks now. */
  #endLeftovers(): void {
    if (this.tree.leftovers !== "kill") return;
    this.#group?.kill();
    this.tree.kill();
  }

  #limitMet(limit: LimitName): void {
    this.#metLimit = limit;
    // More output, or more memory, is just what there must not be.
    const isPatient = limit === "wallMs" || limit === "idleMs" || limit === "cpuMs";
    this.terminate(isPatient ? this.options.ending ?? USUAL_ENDING : undefined);
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
        accountOf(this.#exit!, this.#metLimit, this.#counted, this.tree),
      );
    }
    if (this.#life.state !== "closed") return;
    // In a grace they have time yet, also when nobody holds the output any more.
    if (this.#graceTimer === null) this.#endLeftovers();
    this.#child = null; // with its readers, which are most of what a kept process would cost
    this.log.appendClosed();
    this.#tellClosed();
  }
}

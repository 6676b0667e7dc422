import { constants } from "node:os";
import { systemClock } from "../../lib/base/clock.ts";
import type { Signal, TerminalSize } from "../../lib/process/backend.ts";
import { EXIT, type ExitStatus, signalStatus } from "../exit_status.ts";
import type { CommandEnd, RunningCommand } from "./running_command.ts";
import { Interrupts } from "./interrupts.ts";
import type { Forwarded } from "./signals.ts";
import type { Limit } from "./time_limits.ts";

/** Ctrl-D: the end of input, as far as a terminal has one. */
const END_OF_FILE_KEY = new Uint8Array([4]);

export type Left = { readonly kind: "left"; readonly ends: boolean };

/** Everything that the user, the clock or the link may want of a running command. */
export class Steering {
  /** What its end will mean, whatever status it ends with itself. */
  verdict: ExitStatus | null = null;
  /** Resolves when the user goes before the command has ended. */
  readonly left: Promise<Left>;
  #leaveNow!: (left: Left) => void;
  readonly #interrupts = new Interrupts();

  constructor(private readonly running: RunningCommand) {
    this.left = new Promise((resolve) => (this.#leaveNow = resolve));
  }

  heard(signal: Forwarded): void {
    if (signal === "INT" && !this.running.plan.terminal) return this.#interrupted();
    // A terminal's shell ignores TERM; that its terminal is gone is what it understands.
    if (this.running.plan.terminal && (signal === "TERM" || signal === "HUP")) {
      this.verdict ??= signalStatus(numberOf(signal));
      return this.#end("HUP");
    }
    this.#forward(signal);
  }

  #interrupted(): void {
    const meant = this.#interrupts.pressed(systemClock.now());
    if (meant === "forward") return this.#forward("INT");
    this.verdict = EXIT.interrupted;
    if (meant === "leave") return this.#leaveNow({ kind: "left", ends: false });
    this.running.notices.say("ending the command by force; Ctrl-C once more leaves it");
    this.#do((handle) => handle.terminate());
  }

  escaped(what: "leave" | "help"): void {
    const { plan, notices } = this.running;
    const key = String.fromCharCode(plan.escapeKey ?? 0);
    if (what === "leave") return this.#leaveNow({ kind: "left", ends: false });
    notices.say(`after a newline, ${key}. leaves the command, ${key}${key} types ${key}, ${key}? is this`);
  }

  resized(size: TerminalSize): void {
    const { abilities, notices } = this.running;
    if (abilities.terminal) this.#do((handle) => handle.resize(size));
    else notices.detail("this server is a plain Codex server: the command does not learn the window's size");
  }

  limitReached(limit: Limit): void {
    const { notices, events, handle, plan } = this.running;
    notices.say(`--${limit.kind} of ${limit.ms / 1000} s reached, ending the command`);
    events?.tell({ event: "limit", limit: limit.kind, limitMs: limit.ms }).catch(() => {});
    this.verdict = EXIT.timedOut;
    // What is left of one that has exited ends with us.
    if (handle.log.exited !== null) this.#leaveNow({ kind: "left", ends: true });
    else this.#end(plan.ending.signal);
  }

  /** As `--on-disconnect` asks. */
  linkLost(): void {
    if (this.running.plan.onDisconnect === "detach") this.#leaveNow({ kind: "left", ends: false });
  }

  linkBack(): void {
    const { plan, notices } = this.running;
    if (plan.onDisconnect !== "kill") return;
    notices.say("connected again; ending the command, as --on-disconnect kill asks");
    this.verdict = EXIT.unknown;
    this.#end(plan.ending.signal);
  }

  async inputEnded(writeId: string): Promise<void> {
    const { abilities, handle, notices, plan } = this.running;
    if (abilities.closeInput) await handle.closeInput(writeId);
    else if (plan.terminal) await handle.write(END_OF_FILE_KEY, writeId);
    else notices.say("this server cannot be told that the input ended; end the command with Ctrl-C");
  }

  inputBroke(error: Error): void {
    this.running.notices.say(`cannot read stdin: ${error.message}`);
    this.#do(() => this.inputEnded("stdin-end"));
  }

  /** Nobody reads its output any more. Resolves when it has exited. */
  async endUnseen(): Promise<void> {
    const { log } = this.running.handle;
    const { promise, resolve } = Promise.withResolvers<void>();
    const isOver = () => log.exited !== null || log.failed !== null;
    const unwatch = log.watch(() => isOver() && resolve());
    this.#end(this.running.plan.ending.signal);
    if (!isOver()) await promise;
    unwatch();
  }

  /** What becomes of a command that is left, and says so. */
  leave({ ends }: Left): CommandEnd {
    const { name, notices, handle } = this.running;
    const status = ends ? this.verdict ?? EXIT.unknown : EXIT.unknown;
    if (ends) return { status, leavesItRunning: false };
    if (name === null) notices.say("left; the command ran here and is killed");
    else notices.say(`left; ${handle.processId} runs on at ${name} until its session ends there`);
    return { status, leavesItRunning: name !== null };
  }

  /** Asks it to end, and has it ended by force if it does not. */
  #end(signal: Signal): void {
    const { abilities, notices, plan } = this.running;
    const { ms } = plan.ending;
    if (abilities.signals) return this.#do((handle) => handle.terminate({ signal, ms }));
    notices.detail("this server is a plain Codex server: it knows only an interrupt and an immediate kill");
    if (signal !== "INT") return this.#do((handle) => handle.terminate());
    this.#do((handle) => handle.signal("INT"));
    systemClock.after(ms, () => this.#do((handle) => handle.terminate()));
  }

  #forward(signal: Forwarded): void {
    if (this.running.abilities.signals || signal === "INT") {
      return this.#do((handle) => handle.signal(signal));
    }
    if (signal === "USR1" || signal === "USR2") {
      return this.running.notices.say(`this server is a plain Codex server: it cannot deliver SIG${signal}`);
    }
    this.verdict ??= signalStatus(numberOf(signal));
    this.#end(signal);
  }

  /** What cannot be done because the link is broken is told by its log; what is refused is told here. */
  #do(action: (handle: RunningCommand["handle"]) => unknown): void {
    const failed = (error: unknown) => {
      this.running.notices.detail(error instanceof Error ? error.message : String(error));
    };
    try {
      Promise.resolve(action(this.running.handle)).catch(failed);
    } catch (error) {
      failed(error);
    }
  }
}

function numberOf(signal: Forwarded): number {
  return constants.signals[`SIG${signal}`];
}

import { constants } from "node:os";
import { systemClock } from "../../lib/base/clock.ts";
import type { Signal, TerminalSize } from "../../lib/process/backend.ts";
import type { LimitName } from "../../lib/process/limits.ts";
import type { Account } from "../../lib/process/outcome.ts";
import { EXIT, type ExitStatus, signalStatus } from "../exit_status.ts";
import type { CommandEnd, RunningCommand } from "./running_command.ts";
import { Interrupts } from "./interrupts.ts";
import type { Forwarded } from "./signals.ts";
import type { Limit } from "./time_limits.ts";

/** Ctrl-D: the end of input, as far as a terminal has one. */
const END_OF_FILE_KEY = new Uint8Array([4]);

/** The limits that a flag asks for. */
const FLAGS: ReadonlyMap<LimitName, Limit["kind"]> = new Map([
  ["wallMs", "timeout"],
  ["idleMs", "idle-timeout"],
]);

/** For an answer, and for the news of an end, to come from far away. */
const TRAVEL_MS = 1_000;

/** `ends` with us, `runs on`, or was to end and `could not` be told. */
export type Left = { readonly kind: "left"; readonly command: "ends" | "runs on" | "could not" };

/** Everything that the user, the clock or the link may want of a running command. */
export class Steering {
  /** What its end will mean, whatever status it ends with itself. */
  verdict: ExitStatus | null = null;
  /** Resolves when the user goes before the command has ended. */
  readonly left: Promise<Left>;
  #leaveNow!: (left: Left) => void;
  readonly #interrupts = new Interrupts();
  #isLinkUp = true;
  /** It must have ended by now, or its end is on its way. */
  #isOverdue = false;
  #terms = 0;

  constructor(private readonly running: RunningCommand) {
    this.left = new Promise((resolve) => (this.#leaveNow = resolve));
  }

  heard(signal: Forwarded): void {
    if (this.#isMeantForUs(signal)) return this.#leaveNow({ kind: "left", command: "runs on" });
    if (signal === "INT" && !this.running.plan.terminal) return this.#interrupted();
    if (signal === "TERM" || signal === "HUP") return this.#toldToEnd(signal);
    this.#forward(signal);
  }

  /** Not for a command that others may follow too, or that was to outlive our terminal. */
  #isMeantForUs(signal: Forwarded): boolean {
    const { found } = this.running;
    if (found === null) return false;
    return signal === "HUP" || (found.isAttached && (signal === "INT" || signal === "TERM"));
  }

  #toldToEnd(signal: "TERM" | "HUP"): void {
    const { plan, abilities } = this.running;
    const status = signalStatus(numberOf(signal));
    // Whoever ends us does not mean to wait for a connection.
    if (!this.#isLinkUp) return this.#giveUp(status);
    if (signal === "TERM" && ++this.#terms > 1) return this.#toldAgain(status);
    // A terminal's shell ignores TERM; that its terminal is gone is what it understands.
    if (plan.terminal || !abilities.signals) {
      this.verdict ??= status;
      return this.#end(plan.terminal ? "HUP" : signal);
    }
    this.#insist(status, (handle) => handle.signal(signal));
  }

  #toldAgain(status: ExitStatus): void {
    this.verdict ??= status;
    const isOver = this.running.handle.log.exited !== null;
    if (this.#terms > 2) return this.#leaveNow({ kind: "left", command: isOver ? "ends" : "could not" });
    this.running.notices.say("ending the command by force");
    this.#insist(status, (handle) => handle.terminate());
  }

  #interrupted(): void {
    const meant = this.#interrupts.pressed(systemClock.now());
    if (meant === "forward") return this.#forward("INT");
    this.verdict = EXIT.interrupted;
    if (meant === "leave") return this.#leaveNow({ kind: "left", command: "runs on" });
    this.running.notices.say("ending the command by force; Ctrl-C once more leaves it");
    this.#insist(EXIT.interrupted, (handle) => handle.terminate());
  }

  escaped(what: "leave" | "help" | "lost"): void {
    const { plan, notices } = this.running;
    const key = String.fromCharCode(plan.escapeKey ?? 0);
    if (what === "leave") return this.#leaveNow({ kind: "left", command: "runs on" });
    if (what === "lost") {
      return notices.say(`the command takes no more keys, they are lost; ${key}. leaves it`);
    }
    notices.say(`after a newline, ${key}. leaves the command, ${key}${key} types ${key}, ${key}? is this`);
  }

  resized(size: TerminalSize): void {
    const { abilities, notices } = this.running;
    if (abilities.terminal) this.#do((handle) => handle.resize(size));
    else notices.detail("this server is a plain Codex server: the command does not learn the window's size");
  }

  /** By our own clock. */
  limitReached(limit: Limit["kind"]): void {
    const { handle, plan } = this.running;
    this.#tellLimit(limit, "ending the command");
    this.verdict = EXIT.timedOut;
    // What is left of one that has exited ends with us.
    if (handle.log.exited !== null) this.#leaveNow({ kind: "left", command: "ends" });
    else this.#end(plan.ending.signal);
  }

  /** What its place tells of its end. */
  ended({ outcome, leftovers }: Account): void {
    if (outcome.kind === "limit") {
      const limit = FLAGS.get(outcome.limit);
      if (limit !== undefined && this.verdict !== EXIT.timedOut) {
        this.#tellLimit(limit, "the command was ended");
      }
      this.verdict ??= EXIT.timedOut;
    }
    if (leftovers !== null && leftovers.count > 0) {
      const named = leftovers.first.map(({ pid, name }) => `${pid} (${name})`).join(", ");
      const more = leftovers.count - leftovers.first.length;
      this.running.notices.say(`left running: ${named}${more > 0 ? ` and ${more} more` : ""}`);
    }
  }

  #tellLimit(limit: Limit["kind"], consequence: string): void {
    const { notices, events, plan } = this.running;
    const ms = (limit === "timeout" ? plan.limits.wallMs : plan.limits.idleMs) ?? 0;
    notices.say(`--${limit} of ${ms / 1000} s reached, ${consequence}`);
    events?.tell({ event: "limit", limit, limitMs: ms }).catch(() => {});
  }

  /** As `--on-disconnect` asks. */
  linkLost(): void {
    this.#isLinkUp = false;
    if (this.#isOverdue) return this.#giveUp(EXIT.unknown);
    if (this.running.plan.onDisconnect === "detach") this.#leaveNow({ kind: "left", command: "runs on" });
  }

  linkBack(): void {
    this.#isLinkUp = true;
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

  /** Nobody reads its output any more. Resolves when it has exited, or cannot be told to. */
  async endUnseen(): Promise<void> {
    const { log } = this.running.handle;
    const { promise, resolve } = Promise.withResolvers<void>();
    const isOver = () => log.exited !== null || log.failed !== null;
    const unwatch = log.watch(() => isOver() && resolve());
    this.#end(this.running.plan.ending.signal);
    if (!isOver()) await Promise.race([promise, this.left]);
    unwatch();
  }

  /** What becomes of a command that is left, and says so. */
  leave({ command }: Left): CommandEnd {
    const { name, notices, handle } = this.running;
    const status = command === "runs on" ? EXIT.unknown : this.verdict ?? EXIT.unknown;
    if (command === "ends") return { status, leavesItRunning: false };
    if (name !== null && command === "could not") {
      notices.say(`left; the command could not be ended and may still run on ${name} as ${handle.processId}`);
      // Its session can end it yet, if we can still close that.
      return { status, leavesItRunning: !this.#isLinkUp };
    }
    const { found } = this.running;
    if (found !== null) {
      notices.say(`left; ${handle.processId} runs on at ${name}. To see it again: ${found.command}`);
      return { status, leavesItRunning: false };
    }
    if (name === null) notices.say("left; the command ran here and is killed");
    else notices.say(`left; ${handle.processId} runs on at ${name} until its session ends there`);
    return { status, leavesItRunning: name !== null };
  }

  /** Asks it to end, and has it ended by force if it does not. */
  #end(signal: Signal): void {
    const { abilities, notices, plan } = this.running;
    const { ms } = plan.ending;
    const status = this.verdict ?? EXIT.unknown;
    if (abilities.signals) return this.#insist(status, (handle) => handle.terminate({ signal, ms }));
    notices.detail("this server is a plain Codex server: it knows only an interrupt and an immediate kill");
    if (signal !== "INT") return this.#insist(status, (handle) => handle.terminate());
    this.#insist(status, (handle) => handle.signal("INT"));
    systemClock.after(ms, () => this.#insist(status, (handle) => handle.terminate()));
  }

  #forward(signal: Exclude<Forwarded, "TERM" | "HUP">): void {
    if (this.running.abilities.signals || signal === "INT") {
      return this.#do((handle) => handle.signal(signal));
    }
    if (signal === "USR1" || signal === "USR2") {
      return this.running.notices.say(`this server is a plain Codex server: it cannot deliver SIG${signal}`);
    }
    this.verdict ??= signalStatus(numberOf(signal));
    this.#end(signal);
  }

  /** Does what the command's end hangs on: where nobody answers, or says no, there is nothing to wait for. */
  #insist(status: ExitStatus, action: (handle: RunningCommand["handle"]) => unknown): void {
    const { plan, handle } = this.running;
    let isAnswered = false;
    systemClock.after(plan.ending.ms + TRAVEL_MS, () => {
      if (!isAnswered || !this.#isLinkUp) this.#giveUp(status);
      // One that was only signalled may have its reasons to run on.
      else this.#isOverdue = this.verdict !== null;
    });
    this.#do(async () => {
      try {
        await action(handle);
        isAnswered = true;
      } catch (error) {
        // It may have been refused because it is over, and the news of that is on its way.
        systemClock.after(TRAVEL_MS, () => this.#giveUp(status));
        throw error;
      }
    });
  }

  #giveUp(status: ExitStatus): void {
    // All that is left is to show what came.
    if (this.running.handle.log.exited !== null && this.#isLinkUp) return;
    this.verdict ??= status;
    this.#leaveNow({ kind: "left", command: "could not" });
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

import type { Signal } from "../../lib/process/backend.ts";
import { LEFTOVERS } from "../../lib/process/limits.ts";
import { chooseEnvironment } from "../place/choose_environment.ts";
import { readEnvironmentFlags } from "./child_environment.ts";
import { parseDuration } from "../duration.ts";
import { CommandError, EXIT, usageError } from "../exit_status.ts";
import type { Flags } from "../command.ts";
import type { Keep } from "../../lib/process/keep.ts";
import { readLabels } from "../kept/labels.ts";
import { readRecordFlag } from "./recording_flag.ts";
import type { RunPlan } from "./run_plan.ts";
import { readSandboxFlags } from "./sandbox_flags.ts";

/** Asked politely, a command has this long before it is ended by force. */
const KILL_AFTER_MS = 5_000;

/** Signals that may end a command; the others would not. */
const ENDING_SIGNALS: readonly Signal[] = ["INT", "TERM", "HUP", "QUIT", "USR1", "USR2", "KILL"];

/** What of the world decides beside the flags. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdinIsTerminal: () => boolean;
}

/** Reads the flags of `run`. Throws what the user can mend. */
export async function readRunPlan(
  flags: Flags,
  words: readonly string[],
  around: Surroundings,
): Promise<RunPlan> {
  if (flags.has("tty") && flags.has("no-tty")) throw usageError("-t and -T exclude each other", "run");
  if (flags.has("detach") && flags.has("record")) {
    throw usageError("--record needs us there: leave out -d", "run");
  }
  if (words[0] === "") {
    throw new CommandError(
      'cannot start "": no name given',
      "name a program after --; a variable in its place may be empty",
      EXIT.notFound,
    );
  }
  const terminal = flags.has("tty") ||
    (!flags.has("no-tty") && words.length === 0 && !flags.has("no-stdin") && around.stdinIsTerminal());
  return {
    place: await chooseEnvironment(flags, { command: "run", env: around.env, status: EXIT.notStarted }),
    reconnectMs: time(flags, "reconnect-timeout"),
    argv: words.length === 0 ? null : words,
    terminal,
    stdin: flags.has("no-stdin") || (flags.has("detach") && !flags.has("interactive")) ? "none" : "forward",
    workdir: workdirOf(flags),
    env: readEnvironmentFlags(flags, around.env, terminal),
    cleanEnv: flags.has("clean-env"),
    limits: { wallMs: time(flags, "timeout"), idleMs: time(flags, "idle-timeout") },
    ending: { signal: signalOf(flags), ms: time(flags, "kill-after") ?? KILL_AFTER_MS },
    sandbox: await readSandboxFlags(flags),
    leftovers: choice(flags, "leftovers", LEFTOVERS) ?? "kill",
    waitClosed: flags.has("wait-closed"),
    keep: keepOf(flags),
    detach: flags.has("detach"),
    onDisconnect: choice(flags, "on-disconnect", ["wait", "detach", "kill"]) ?? "wait",
    escapeKey: escapeKeyOf(flags),
    record: readRecordFlag(flags, terminal),
    talk: {
      quiet: flags.has("quiet"),
      verbose: flags.has("verbose"),
      color: choice(flags, "color", ["auto", "always", "never"]) ?? "auto",
    },
  };
}

function workdirOf(flags: Flags): string | null {
  const dir = flags.text("workdir");
  if (dir === "") throw usageError("option --workdir needs a directory", "run");
  return dir ?? null;
}

function signalOf(flags: Flags): Signal {
  const text = flags.text("signal");
  if (text === undefined) return "TERM";
  const name = text.toUpperCase().replace(/^SIG/, "");
  const signal = ENDING_SIGNALS.find((signal) => signal === name);
  if (signal !== undefined) return signal;
  throw usageError(`option --signal takes one of ${ENDING_SIGNALS.join(" ")}, not "${text}"`, "run");
}

function escapeKeyOf(flags: Flags): number | null {
  const text = flags.text("escape-char") ?? "~";
  if (text === "none") return null;
  if (/^[\x21-\x7e]$/.test(text)) return text.charCodeAt(0);
  throw usageError(`option --escape-char takes one character or none, not "${text}"`, "run");
}

function keepOf(flags: Flags): Keep | null {
  const name = flags.text("name") ?? null;
  const ms = time(flags, "keep");
  if (name !== null && !/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(name)) {
    throw usageError(`option --name takes letters, digits, _ . and -, at most 64, not "${name}"`, "run");
  }
  if (!flags.has("detach") && name === null && ms === null) {
    if (flags.has("label")) throw usageError("option --label is for -d, --name or --keep", "run");
    return null;
  }
  return { name, labels: readLabels(flags, "run"), ms };
}

/** null where it is not given. Nothing in it is endless, so a zero would mean no time at all. */
function time(flags: Flags, name: string): number | null {
  const text = flags.text(name);
  if (text === undefined) return null;
  const ms = parseDuration(text);
  if (ms !== null && (ms > 0 || name === "kill-after")) return ms;
  throw usageError(`option --${name} takes a time such as 30s or 5m, not "${text}"`, "run");
}

function choice<const T extends string>(flags: Flags, name: string, choices: readonly T[]): T | null {
  const text = flags.text(name);
  if (text === undefined) return null;
  const chosen = choices.find((choice) => choice === text);
  if (chosen !== undefined) return chosen;
  throw usageError(`option --${name} takes ${choices.join(", ")}, not "${text}"`, "run");
}

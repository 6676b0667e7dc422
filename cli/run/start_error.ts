import { osErrorText } from "../../lib/base/os_error.ts";
import { ProcessError, type SpawnFailure } from "../../lib/process/process_error.ts";
import { CommandError, EXIT, type ExitStatus } from "../exit_status.ts";

export interface StartAttempt {
  readonly program: string;
  readonly cwd: string;
  /** The directory as it was asked for; null where nobody asked. */
  readonly asked: string | null;
  /** null: right here. */
  readonly on: string | null;
  /** Where bare names are searched, as far as we know. */
  readonly path: string | null;
}

/** Nobody knows whether the command was started. */
export class UnknownStart extends CommandError {
  constructor(program: string, message: string) {
    const isCut = message.startsWith("exec-server transport disconnected");
    super(
      `the result of ${JSON.stringify(program)} is unknown: ${
        isCut ? "the connection was lost while it was being started" : message
      }`,
      isCut ? "it may run there" : "see that an exec-server listens there and nothing else",
      EXIT.unknown,
    );
  }
}

/** Why a command did not start, in the words and with the status that shells use. */
export function startError(error: unknown, attempt: StartAttempt): unknown {
  if (!(error instanceof ProcessError)) return error;
  if (error.code === "lost") return new UnknownStart(attempt.program, error.message);
  const cause = `cannot start ${JSON.stringify(attempt.program)}`;
  if (error.code === "unenforceable") {
    // Its text may name an error of the system, which is not the command's.
    const hint = "`exec-server doctor` tells what that machine can; or ask for less";
    return new CommandError(`${cause}: ${error.message}`, hint, EXIT.notStarted);
  }
  if (error.failure === undefined && /\(os error 2\)/.test(error.message) && attempt.asked !== null) {
    return new CommandError(
      `${cause}: it or the directory ${attempt.cwd} is missing on ${attempt.on}`,
      "see both there; a plain Codex server does not tell which",
      EXIT.notFound,
    );
  }
  const failure = error.failure ?? failureIn(error.message);
  if (failure === null) return new CommandError(`${cause}: ${error.message}`, null, EXIT.notStarted);
  const { reason, hint, status } = reasonFor(failure, attempt);
  return new CommandError(`${cause}: ${reason}`, hint, status);
}

type Reason = { readonly reason: string; readonly hint: string | null; readonly status: ExitStatus };

function reasonFor({ phase, errno }: Pick<SpawnFailure, "phase" | "errno">, attempt: StartAttempt): Reason {
  const on = attempt.on === null ? "" : ` on ${attempt.on}`;
  if (phase === "cwd") {
    return {
      reason: `cannot work in ${attempt.cwd}${on}: ${osErrorText(errno)}`,
      hint: "name a directory that exists there with -w DIR",
      status: EXIT.notStarted,
    };
  }
  if (phase === "program" && errno === "ENOENT") return notFound(attempt, on);
  if (phase === "program") {
    return {
      reason: `found${on} but not executable: ${osErrorText(errno)}`,
      hint: errno === "ENOEXEC"
        ? "is it a program of that machine, or does it lack a #! line?"
        : "see its mode there: chmod +x",
      status: EXIT.notExecutable,
    };
  }
  if (errno === "ENOENT") {
    return {
      reason: `it is there${on}, but what it needs to run is not: ${osErrorText(errno)}`,
      hint: "see the interpreter that its first line, or its header, names",
      status: EXIT.notExecutable,
    };
  }
  return { reason: `${osErrorText(errno)}${on}`, hint: null, status: EXIT.notStarted };
}

function notFound({ program, path }: StartAttempt, on: string): Reason {
  const isBare = !program.includes("/");
  const searched = path === null ? "" : ` (PATH=${path})`;
  return {
    reason: isBare ? `not found in PATH${on}${searched}` : `no such file${on}`,
    hint: isBare ? "pass -e PATH or use a full path" : "see its path there",
    status: EXIT.notFound,
  };
}

/** A plain Codex server tells the step of a failure by its text at most. */
function failureIn(message: string): Pick<SpawnFailure, "phase" | "errno"> | null {
  if (/is not executable|\(os error 13\)/.test(message)) return { phase: "program", errno: "EACCES" };
  if (/No viable candidates|Unable to resolve the PATH/.test(message)) {
    return { phase: "program", errno: "ENOENT" };
  }
  if (/\(os error 8\)/.test(message)) return { phase: "program", errno: "ENOEXEC" };
  if (/\(os error 2\)/.test(message)) return { phase: "program", errno: "ENOENT" };
  return null;
}

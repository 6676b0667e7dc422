/** What a command's end means to whoever started it. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  /** `run`: a time limit ended the command. */
  timedOut: 124,
  /** `run`: the command never ran. 126 and 127 are the shells' words for two of the reasons. */
  notStarted: 125,
  notExecutable: 126,
  notFound: 127,
  /** `run`: the user pressed Ctrl-C and the command was ended because of it. */
  interrupted: 130,
  /** `run`: nobody reads our output any more: what a shell says of a program that SIGPIPE ended. */
  brokenPipe: 141,
  /** The link, or a result that nobody knows. Never 0. */
  unknown: 255,
} as const;

export type ExitStatus = number;

/** Something the user can mend: one line of cause, one of what to do. Ends the command with its status. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  constructor(message: string, readonly hint: string | null, readonly status: ExitStatus) {
    super(message);
  }
}

/** The command line itself is wrong. */
export function usageError(message: string, command: string | null): CommandError {
  const help = command === null ? "exec-server help" : `exec-server help ${command}`;
  // A small status would look like the one of the command that did not run.
  const isCommands = command === "run" || command === "attach" || command === "wait";
  const status = isCommands ? EXIT.notStarted : EXIT.usage;
  return new CommandError(message, `see \`${help}\``, status);
}

/** The status of a command that ended by a signal, as shells tell it. */
export function signalStatus(signal: number): ExitStatus {
  return 128 + signal;
}

/** What a command's end means to whoever started it. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
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
  return new CommandError(message, `see \`${help}\``, EXIT.usage);
}

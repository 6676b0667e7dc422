import { commands, findCommand } from "./command_table.ts";
import { CommandError, EXIT, type ExitStatus, usageError } from "./exit_status.ts";
import { parseFlags } from "./parse_flags.ts";
import { complain } from "./complain.ts";

/** Runs what the words after the program's name ask for. Resolves to the exit status; never rejects. */
export async function runCommandLine(args: readonly string[]): Promise<ExitStatus> {
  try {
    return await dispatch(args);
  } catch (error) {
    return complain(error);
  }
}

function dispatch(args: readonly string[]): Promise<ExitStatus> {
  const [name, ...rest] = args;
  if (name === undefined) throw usageError(`no command given; there are ${names()}`, null);
  if (name === "--help" || name === "-h") return runNamed("help", []);
  if (name === "--version" || name === "-V") return runNamed("version", []);
  const command = findCommand(name);
  if (command === undefined) throw usageError(`unknown command ${name}; there are ${names()}`, null);
  // Behind the first word it is the help of another program that is asked for.
  const asksForHelp = !command.stopsAtWord && rest.some((word) => word === "--help" || word === "-h");
  return asksForHelp ? runNamed("help", [name]) : runNamed(name, rest);
}

function runNamed(name: string, args: readonly string[]): Promise<ExitStatus> {
  const command = findCommand(name);
  if (command === undefined) throw new CommandError(`unknown command ${name}`, null, EXIT.usage);
  const { flags, words } = parseFlags(command, args);
  if (command.stopsAtWord && flags.has("help")) return runNamed("help", [name]);
  return command.run(flags, words);
}

function names(): string {
  return commands.map((command) => command.name).join(", ");
}

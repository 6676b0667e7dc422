import { parseArgs } from "@std/cli";
import type { Command, Flag, Flags } from "./command.ts";
import { usageError } from "./exit_status.ts";

/** Sorts a command's arguments into flags and words. Throws a usage error for what the command does not know. */
export function parseFlags(command: Command, args: readonly string[]): { flags: Flags; words: string[] } {
  const valued = command.flags.filter((flag) => flag.value !== undefined);
  const switches = command.flags.filter((flag) => flag.value === undefined).map((flag) => flag.name);
  const options = args.slice(0, args.includes("--") ? args.indexOf("--") : args.length);
  for (const flag of valued) refuseMissingValue(command, flag, options);
  const parsed = parseArgs([...args], {
    string: [...valued.map((flag) => flag.name), "_"],
    boolean: switches,
    collect: valued.map((flag) => flag.name),
    unknown(argument, key) {
      if (key === undefined) return true; // a word
      throw usageError(`unknown option ${argument.split("=")[0]}`, command.name);
    },
  });
  const values = (name: string) => (parsed[name] as string[] | undefined) ?? [];
  for (const flag of valued) {
    if (!flag.repeats && values(flag.name).length > 1) {
      throw usageError(`option --${flag.name} was given more than once`, command.name);
    }
  }
  return {
    flags: {
      has: (name) => parsed[name] === true,
      text: (name) => values(name)[0],
      texts: values,
    },
    words: parsed._.map(String),
  };
}

/** The parser takes a missing value for an empty one, which may be meant. */
function refuseMissingValue(command: Command, flag: Flag, options: readonly string[]): void {
  options.forEach((option, index) => {
    if (option !== `--${flag.name}`) return;
    const next = options[index + 1];
    if (next !== undefined && !next.startsWith("-")) return;
    throw usageError(`option --${flag.name} needs a value: --${flag.name} ${flag.value}`, command.name);
  });
}

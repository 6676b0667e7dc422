import { parseArgs } from "@std/cli";
import type { Command, Flag, Flags } from "./command.ts";
import { usageError } from "./exit_status.ts";
import { parsePosixFlags } from "./posix_flags.ts";

/** Sorts a command's arguments into flags and words. Throws a usage error for what the command does not know. */
export function parseFlags(command: Command, args: readonly string[]): { flags: Flags; words: string[] } {
  if (command.stopsAtWord || command.optionsAnywhere) return parsePosixFlags(command, args);
  const valued = command.flags.filter((flag) => flag.value !== undefined);
  const switches = command.flags.filter((flag) => flag.value === undefined).map((flag) => flag.name);
  const parsed = parseArgs(bindValues(command, valued, args), {
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

/**
 * Binds each value to its flag, `--name value` → `--name=value`: the parser would take an empty value for a word, and a
 * missing one for empty.
 */
function bindValues(command: Command, valued: readonly Flag[], args: readonly string[]): string[] {
  const bound: string[] = [];
  const rest = [...args];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const flag = valued.find(({ name }) => word === `--${name}`);
    const named = /^--([^=]+)=/.exec(word)?.[1];
    if (command.flags.some(({ name, value }) => name === named && value === undefined)) {
      throw usageError(`option --${named} takes no value`, command.name);
    }
    if (word === "--") return [...bound, word, ...rest];
    if (flag === undefined) {
      bound.push(word);
      continue;
    }
    const value = rest.shift();
    if (value === undefined || value.startsWith("-")) {
      throw usageError(`option --${flag.name} needs a value: --${flag.name} ${flag.value}`, command.name);
    }
    bound.push(`${word}=${value}`);
  }
  return bound;
}

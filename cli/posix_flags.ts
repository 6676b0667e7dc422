import type { Command, Flag, Flags } from "./command.ts";
import { usageError } from "./exit_status.ts";

/** Known to every command without being in its table. */
const HELP: Flag = { name: "help", short: "h", summary: "" };

/**
 * Options as POSIX reads them: up to `--`, or to the first word that is not one unless they may stand anywhere. Letters may stand together (`-tq`), a
 * value may stick to its letter (`-eA=1`) or to its name (`--env=A=1`), and may begin with a dash.
 */
export function parsePosixFlags(
  command: Command,
  args: readonly string[],
): { flags: Flags; words: string[] } {
  const given = new Map<Flag, string[]>();
  const note = (flag: Flag, value: string) => {
    const values = given.get(flag) ?? [];
    if (values.length > 0 && flag.value !== undefined && !flag.repeats) {
      throw usageError(`option --${flag.name} was given more than once`, command.name);
    }
    given.set(flag, [...values, value]);
  };
  const known = [...command.flags, HELP];
  const words: string[] = [];
  let next = 0;
  const valueOf = (flag: Flag, option: string): string => {
    const value = args[next++];
    if (value !== undefined) return value;
    throw usageError(`option ${option} needs a value: ${option} ${flag.value}`, command.name);
  };

  while (next < args.length) {
    const option = args[next]!;
    if (option === "--") {
      next += 1;
      break;
    }
    const isWord = !option.startsWith("-") || option === "-";
    if (isWord && !command.optionsAnywhere) break;
    next += 1;
    if (isWord) {
      words.push(option);
      continue;
    }
    if (option.startsWith("--")) {
      const [name, value] = splitOnce(option.slice(2));
      const flag = known.find((flag) => flag.name === name || flag.aliases?.includes(name));
      if (flag === undefined) throw usageError(`unknown option --${name}`, command.name);
      if (flag.value === undefined && value !== null) {
        throw usageError(`option --${name} takes no value`, command.name);
      }
      note(flag, flag.value === undefined ? "" : value ?? valueOf(flag, `--${name}`));
      continue;
    }
    for (let at = 1; at < option.length; at++) {
      const letter = option[at]!;
      const flag = known.find((flag) => flag.short?.includes(letter));
      if (flag === undefined) throw usageError(`unknown option -${letter}`, command.name);
      if (flag.value === undefined) {
        note(flag, "");
        continue;
      }
      const rest = option.slice(at + 1);
      note(flag, rest !== "" ? rest : valueOf(flag, `-${letter}`));
      break;
    }
  }
  const values = (name: string) => given.get(known.find((flag) => flag.name === name)!) ?? [];
  return {
    flags: { has: (name) => values(name).length > 0, text: (name) => values(name).at(-1), texts: values },
    words: [...words, ...args.slice(next)],
  };
}

function splitOnce(text: string): [string, string | null] {
  const at = text.indexOf("=");
  return at === -1 ? [text, null] : [text.slice(0, at), text.slice(at + 1)];
}

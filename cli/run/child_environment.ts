import { readFileSync } from "node:fs";
import { osErrorCode, osErrorText } from "../../lib/base/os_error.ts";
import type { EnvPolicy } from "../../lib/process/backend.ts";
import { CommandError, EXIT, usageError } from "../exit_status.ts";
import type { Flags } from "../command.ts";

/** Where the command's variables begin unless `--clean-env` was given: with all that the place itself has. */
export const INHERIT_ALL: EnvPolicy = {
  inherit: "all",
  ignoreDefaultExcludes: true,
  exclude: [],
  set: {},
  includeOnly: [],
};

/** What a program on a terminal must know of the terminal, and nothing else travels unasked. */
const OF_TERMINALS = ["TERM", "COLORTERM", "LANG"];

type Variables = Readonly<Record<string, string | undefined>>;

/** What the command is given on top: the terminal's own, then `--env-file`, then `-e`. */
export function readEnvironmentFlags(
  flags: Flags,
  ours: Variables,
  terminal: boolean,
): Record<string, string> {
  // No prototype: a variable may be called `__proto__`.
  const env: Record<string, string> = Object.create(null);
  if (terminal) { for (const name of OF_TERMINALS) setVariable(env, name, ours); }
  for (const file of flags.texts("env-file")) {
    for (const line of variableLines(textOf(file), file)) setVariable(env, line, ours);
  }
  for (const word of flags.texts("env")) {
    if (word === "" || word.startsWith("=")) {
      throw usageError(`option --env takes K=V or K, not "${word}"`, "run");
    }
    setVariable(env, word, ours);
  }
  return env;
}

/** `K=V`, or `K` for our own value of it; one that we do not have is not set. */
function setVariable(env: Record<string, string>, word: string, ours: Variables): void {
  const at = word.indexOf("=");
  if (at > 0) {
    env[word.slice(0, at)] = word.slice(at + 1);
    return;
  }
  const value = ours[word];
  if (value !== undefined) env[word] = value;
}

/**
 * The lines that say something: neither empty nor a comment, and without the `export` of a shell. Values are taken as
 * they stand, quotes included. Throws a CommandError that tells the line's number only: the line may hold a secret.
 */
export function variableLines(text: string, file: string): string[] {
  const lines: string[] = [];
  for (const [index, whole] of text.split(/\r?\n/).entries()) {
    const line = whole.trimStart().replace(/^export[ \t]+/, "");
    if (line === "" || line.startsWith("#")) continue;
    const [, name, value] = /^([^\s=\0]+)(?:(=[^\0]*)|\s*)$/.exec(line) ?? [];
    if (name === undefined) {
      throw new CommandError(
        `line ${index + 1} of ${file} sets no variable`,
        "write K=V, or K for the value it has here; a comment begins with #",
        EXIT.notStarted,
      );
    }
    lines.push(name + (value ?? ""));
  }
  return lines;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const code = osErrorCode(error);
    if (code === null) throw error;
    throw new CommandError(
      `cannot read the variables in ${file}: ${osErrorText(code)}`,
      "name a file with lines K=V after --env-file",
      EXIT.notStarted,
    );
  }
}

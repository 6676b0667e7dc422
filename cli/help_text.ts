import type { Command, Flag } from "./command.ts";
import { EXIT, type ExitStatus, usageError } from "./exit_status.ts";

/** `help [COMMAND]`, read from the command table. */
export async function helpCommand(
  commands: readonly Command[],
  [name, ...more]: readonly string[],
): Promise<ExitStatus> {
  if (more.length > 0) throw usageError(`unexpected word ${more[0]}`, "help");
  const command = name === undefined ? null : commands.find((command) => command.name === name);
  if (command === undefined) throw usageError(`unknown command ${name}`, null);
  await Bun.write(Bun.stdout, command === null ? overview(commands) : helpFor(command));
  return EXIT.ok;
}

function overview(commands: readonly Command[]): string {
  const rows = commands.map(({ usage, summary }): [string, string] => [usage, summary]);
  return `exec-server: run commands on a machine for somebody who is not there\n\n` +
    `${columns(rows)}\nexec-server help COMMAND tells all of a command.\n`;
}

function helpFor({ usage, summary, details, flags }: Command): string {
  const rows = flags.map((flag): [string, string] => [
    spelling(flag),
    flag.repeats ? `${flag.summary}; may be repeated` : flag.summary,
  ]);
  return [
    `${summary}\n\n  exec-server ${usage}\n`,
    details === undefined ? "" : `${details}\n`,
    columns(rows),
  ]
    .filter((part) => part !== "").join("\n");
}

function spelling({ short, name, aliases, value }: Flag): string {
  const letters = [...short ?? ""].map((letter) => `-${letter}`);
  const names = [name, ...aliases ?? []].map((name) => `--${name}`);
  return `${[...letters, ...names].join(", ")}${value === undefined ? "" : ` ${value}`}`;
}

function columns(rows: readonly [string, string][]): string {
  const width = Math.max(0, ...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}\n`).join("");
}

import type { KeptProcess } from "../../lib/process/kept_processes.ts";
import type { Flags } from "../command.ts";
import { EXIT, type ExitStatus, usageError } from "../exit_status.ts";
import { writeAll } from "../run/write_all.ts";
import { shownText } from "../shown_text.ts";
import { readLabels } from "./labels.ts";
import { withKept } from "./open_kept.ts";

const STDOUT = 1;
const UNITS = [["d", 86_400_000], ["h", 3_600_000], ["m", 60_000], ["s", 1_000]] as const;

/** `ps`: the kept processes of a server, oldest first. */
export function psCommand(flags: Flags, [word]: readonly string[]): Promise<ExitStatus> {
  if (word !== undefined) throw usageError(`unexpected word ${word}`, "ps");
  const wanted = Object.entries(readLabels(flags, "ps"));
  return withKept(flags, "ps", EXIT.failed, async ({ kept }) => {
    const processes = (await kept.list())
      .filter(({ labels }) => wanted.every(([key, value]) => labels[key] === value));
    const text = flags.has("json") ? processes.map(asJson).join("") : asTable(processes);
    await writeAll(STDOUT, new TextEncoder().encode(text));
    return EXIT.ok;
  });
}

function asJson({ processId, account, ...told }: KeptProcess): string {
  return `${JSON.stringify({ id: processId, ...told, ...account })}\n`;
}

function asTable(processes: readonly KeptProcess[]): string {
  const rows = [["ID", "NAME", "STATE", "AGE", "COMMAND", "LABELS"], ...processes.map(rowOf)];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) => `${row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ").trimEnd()}\n`)
    .join("");
}

function rowOf(process: KeptProcess): string[] {
  const { processId, name, ageMs, program, labels } = process;
  const marks = Object.entries(labels).map(([key, value]) => `${key}=${value}`).join(",");
  return [processId, name ?? "-", stateOf(process), shortTime(ageMs), program, marks].map(shownText);
}

function stateOf({ state, exitCode, account }: KeptProcess): string {
  if (state === "running") return state;
  const outcome = account?.outcome;
  if (outcome?.kind === "signalled") return `killed by ${outcome.signal}`;
  if (outcome?.kind === "limit") return `limit ${outcome.limit}`;
  return `exited ${exitCode ?? "?"}`;
}

function shortTime(ms: number): string {
  const [unit, size] = UNITS.find(([, size]) => ms >= size) ?? UNITS.at(-1)!;
  return `${Math.floor(ms / size)}${unit}`;
}

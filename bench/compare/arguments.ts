import { resolve } from "@std/path";
import { parseArgs } from "@std/cli";
import { findCodex } from "../../tests/support/real_codex.ts";
import { allCases } from "./cases/mod.ts";
import type { Case } from "./case.ts";
import type { Source } from "./contestant.ts";

export interface Arguments {
  readonly ours: Source;
  readonly peer: Source;
  readonly peerName: string;
  readonly cases: readonly Case[];
  readonly rounds: number;
  readonly json: string | null;
}

const USAGE = `deno task bench [--peer-cmd COMMAND | --peer-url ws://...] [--peer-name NAME]
                [--ours-cmd COMMAND | --ours-url ws://...] [--only NAME,...] [--rounds N] [--json FILE] [--list]
COMMAND is split at blanks; {port} in it is replaced by a free port.`;

const OPTIONS = ["ours-cmd", "ours-url", "peer-cmd", "peer-url", "peer-name", "only", "rounds", "json"];

/** Resolves with what to do, or with the text to print instead. Rejects what it does not understand. */
export async function readArguments(words: string[]): Promise<Arguments | string> {
  const given = parseArgs(words, {
    string: OPTIONS,
    boolean: ["list", "help"],
    unknown: (word: string) => {
      throw new Error(`Unknown argument: ${word}\n${USAGE}`);
    },
  });
  const text = (name: string) => typeof given[name] === "string" ? given[name] : null;
  if (given["help"] === true) return USAGE;
  if (given["list"] === true) {
    return allCases.map(({ name, about }) => `${name.padEnd(12)} ${about}`).join("\n");
  }
  const rounds = Number(text("rounds") ?? 5);
  if (!Number.isSafeInteger(rounds) || rounds < 1) {
    throw new Error(`--rounds wants a number, not ${text("rounds")}`);
  }
  return {
    ours: sourceOf(text("ours-cmd"), text("ours-url")) ?? ourBinary(),
    peer: sourceOf(text("peer-cmd"), text("peer-url")) ?? await realCodex(),
    peerName: text("peer-name") ?? (text("peer-cmd") ?? text("peer-url") ? "peer" : "codex exec-server"),
    cases: chosen(text("only")),
    rounds,
    json: text("json"),
  };
}

function sourceOf(command: string | null, url: string | null): Source | null {
  if (command !== null) return { command: command.split(/\s+/).filter((word) => word !== "") };
  return url === null ? null : { url };
}

function ourBinary(): Source {
  const binary = resolve(import.meta.dir, "../../dist/exec-server");
  return { command: [binary, "serve", "--listen", "ws://127.0.0.1:{port}"] };
}

async function realCodex(): Promise<Source> {
  const codex = await findCodex("0.169.0");
  if (!codex.found) throw new Error(`${codex.reason}, or name a peer\n${USAGE}`);
  return { command: [codex.binary, "exec-server", "--listen", "ws://127.0.0.1:{port}"] };
}

/** `fs` stands for all that begin with `fs.`. */
function chosen(only: string | null): readonly Case[] {
  if (only === null) return allCases;
  const wanted = only.split(",");
  for (const name of wanted) {
    if (!allCases.some((one) => answersTo(one, name))) throw new Error(`No case is named ${name}`);
  }
  return allCases.filter((one) => wanted.some((name) => answersTo(one, name)));
}

function answersTo({ name }: Case, wanted: string): boolean {
  return name === wanted || name.startsWith(`${wanted}.`);
}

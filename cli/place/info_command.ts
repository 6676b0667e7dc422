import type { Environment, EnvironmentInfo } from "../../lib/environment/environment.ts";
import { version } from "../../lib/version.ts";
import { type Choice, chooseEnvironment } from "./choose_environment.ts";
import type { Flags } from "../command.ts";
import { CommandError, EXIT, type ExitStatus, usageError } from "../exit_status.ts";
import { inMs, type Latency, measureLatency } from "./latency.ts";
import { linkHint } from "./link_hint.ts";
import { addressOf, kindOf, openChoice } from "./open_choice.ts";
import { probeSandbox, type SandboxProbe, shownProbe } from "./sandbox_probe.ts";
import type { TreeFacts } from "../../lib/process/limits.ts";
import { shownTrees } from "./doctor_trees.ts";
import { shownText } from "../shown_text.ts";

/** `info`: what the environment is that a command would use. */
export async function infoCommand(flags: Flags, [word]: readonly string[]): Promise<ExitStatus> {
  if (word !== undefined) throw usageError(`unexpected word ${word}`, "info");
  const choice = await chooseEnvironment(flags, { command: "info" });
  const said: string[] = [];
  await using environment = await openChoice(choice, { onProgramStderr: (line) => said.push(line) });
  const facts = await ask(environment, said, kindOf(choice));
  const answer = flags.has("json") ? asJson(choice, environment, facts) : asText(choice, environment, facts);
  await Bun.write(Bun.stdout, answer);
  return EXIT.ok;
}

interface Facts {
  readonly info: EnvironmentInfo;
  /** null right here. */
  readonly latency: Latency | null;
  readonly sandbox: SandboxProbe | null;
  /** null at a plain Codex server, and where no commands are allowed. */
  readonly trees: TreeFacts | null;
}

async function ask(
  environment: Environment,
  said: readonly string[],
  kind: "url" | "program",
): Promise<Facts> {
  try {
    return {
      info: await environment.info(),
      latency: environment.isRemote ? await measureLatency(environment) : null,
      sandbox: environment.capabilities.execEnabled ? await probeSandbox(environment) : null,
      trees: environment.capabilities.execEnabled ? (await environment.backend().abilities()).trees : null,
    };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const last = said.at(-1);
    const cause = last === undefined ? message : `${message} (its last words: ${last})`;
    throw new CommandError(cause, linkHint(message, kind), EXIT.unknown);
  }
}

function asJson(choice: Choice, environment: Environment, { info, latency, sandbox, trees }: Facts): string {
  const { version: serverVersion, ...rest } = info;
  return `${
    JSON.stringify({
      environment: environment.id,
      address: addressOf(choice),
      chosenBy: choice.saidBy,
      status: "ready",
      versions: { here: version, there: serverVersion },
      latencyMs: latency === null ? null : { best: latency.bestMs, median: latency.medianMs },
      capabilities: environment.capabilities,
      sandbox,
      trees,
      ...rest,
    })
  }\n`;
}

function asText(choice: Choice, environment: Environment, { info, latency, sandbox, trees }: Facts): string {
  const { execEnabled, filesystemEnabled } = environment.capabilities;
  const uses = [execEnabled && "commands", filesystemEnabled && "files"].filter((use) => use !== false);
  const rows: [string, string][] = [
    [
      "environment",
      choice.saidBy === null ? environment.id : `${environment.id} (chosen by ${choice.saidBy})`,
    ],
    ["address", addressOf(choice)],
    ["status", "ready"],
    ["versions", `here ${version}, there ${info.version ?? "not told"}`],
    ["system", info.platform ?? "not told"],
    ["shell", info.shell.path],
    ["directory", info.cwd ?? "not told"],
    ["home", info.home ?? "not told"],
    ["capabilities", list(uses)],
    ["features", list(info.features)],
  ];
  if (sandbox !== null) rows.push(["sandbox", shownProbe(sandbox)]);
  if (trees !== null) rows.push(["process trees", shownTrees(trees)]);
  if (latency !== null) rows.push(["latency", `${inMs(latency.medianMs)} (best ${inMs(latency.bestMs)})`]);
  if (info.extensions !== null) {
    const none = "none: a plain Codex server, without resizing, end of input and most signals";
    rows.push(["extensions", info.extensions.length === 0 ? none : list(info.extensions)]);
  }
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${shownText(value)}\n`).join("");
}

function list(items: readonly string[]): string {
  return items.length === 0 ? "none" : items.join(", ");
}

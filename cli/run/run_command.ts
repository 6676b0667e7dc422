import type { Flags } from "../command.ts";
import { isAbsolute, join } from "@std/path";
import type { Environment } from "../../lib/environment/environment.ts";
import type { Abilities, StartOptions } from "../../lib/process/backend.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { INHERIT_ALL } from "./child_environment.ts";
import { complain } from "../complain.ts";
import { CommandError, EXIT, type ExitStatus } from "../exit_status.ts";
import { enforced } from "./enforcement.ts";
import { followCommand } from "./follow_command.ts";
import { JsonEvents } from "./json_events.ts";
import { Notices } from "./notices.ts";
import { type OpenEnvironment, openEnvironment } from "./open_environment.ts";
import { readRunPlan } from "./run_flags.ts";
import type { Recording } from "./recording.ts";
import type { RunPlan } from "./run_plan.ts";
import { intentIn } from "./sandbox_flags.ts";
import { type StartAttempt, startError, UnknownStart } from "./start_error.ts";
import type { SpooledStdin } from "./spooled_stdin.ts";
import { stdinFor } from "./stdin_choice.ts";
import { stdinIsTerminal, UserTerminal } from "./user_terminal.ts";
import { attachWords, requireKept } from "../kept/require_kept.ts";
import { BrokenPipe, OutputError, writeAll } from "./write_all.ts";

const STDOUT = 1;

const A_DAY_MS = 86_400_000;
/** What is left running is killed at once; longer than this only the telling of it can take. */
const CLOSING_MS = 1_000;

/** `run`: starts a command, stays with it to its end, and ends as it did. */
export async function runCommand(flags: Flags, words: readonly string[]): Promise<ExitStatus> {
  // While we wait for an answer or a timer nothing else may keep the program alive.
  const awake = setInterval(() => {}, A_DAY_MS);
  const status = await runToStatus(flags, words);
  clearInterval(awake);
  // By force: a read of stdin, or of an output that a stranger still holds, would keep us here. All is written.
  process.exit(status);
}

async function runToStatus(flags: Flags, words: readonly string[]): Promise<ExitStatus> {
  const events = flags.has("json") ? new JsonEvents() : null;
  try {
    const plan = await readRunPlan(flags, words, { env: process.env, stdinIsTerminal });
    return await run(plan, events, new Notices(plan.talk));
  } catch (error) {
    if (error instanceof BrokenPipe) return EXIT.brokenPipe;
    if (error instanceof OutputError) {
      // Its own status would claim that all went as it says.
      complain(error);
      return EXIT.unknown;
    }
    const status = complain(error);
    await events?.failed(error, status).catch(() => {});
    return status;
  }
}

async function run(plan: RunPlan, events: JsonEvents | null, notices: Notices): Promise<ExitStatus> {
  const place = await openEnvironment(plan.place, plan.reconnectMs);
  const { environment, name } = place;
  let leavesItRunning = false;
  let mayBeStarted = false;
  try {
    const backend = environment.backend();
    const abilities = await backend.abilities();
    if (plan.keep !== null) await requireKept(environment, EXIT.notStarted);
    const stdin = stdinFor(plan, abilities);
    const start = { ...await startOptions(plan, place, abilities), ...enforced(plan, abilities) };
    const sandbox = plan.sandbox === null ? null : intentIn(start.cwd, plan.sandbox, environment);
    await using spooled = stdin === "spool" ? await spool(environment) : null;
    await using recording = plan.record === null ? null : await record(plan.record, notices);
    using terminal = plan.terminal ? new UserTerminal() : null;
    const size = abilities.terminal ? terminal?.size() ?? null : null;
    const handle = await started(
      () =>
        spooled === null
          ? backend.start({ ...start, pipeStdin: stdin !== "none", size }, sandbox)
          : spooled.unlessInterrupted(
            backend.start({ ...start, argv: spooled.argvFor(start.argv), pipeStdin: false, size }, sandbox),
          ),
      {
        program: start.argv[0]!,
        cwd: start.cwd,
        path: pathOf(plan, name),
        asked: plan.workdir,
        on: name,
      },
    );
    const { argv } = start;
    if (plan.detach) {
      await told(start.processId, argv, name ?? "here", events);
      return EXIT.ok;
    }
    const running = {
      ...{ plan, handle, argv, abilities, environment, name, terminal, events, notices, recording },
      stdin: spooled === null ? stdin : "none",
      found: plan.keep === null
        ? null
        : { command: attachWords(plan.place, plan.keep.name ?? start.processId), isAttached: false },
    } as const;
    recording?.begin(running, size);
    const end = await followCommand(running);
    leavesItRunning = end.leavesItRunning;
    return end.status;
  } catch (error) {
    mayBeStarted = error instanceof UnknownStart;
    throw error;
  } finally {
    // A session that nobody closes waits there for a client, and its commands with it.
    if (!leavesItRunning) {
      const closed = environment[Symbol.asyncDispose]();
      // What may run unknown to anybody can be ended only when we are connected again; the recovery has its own limit.
      await (mayBeStarted ? closed : Promise.race([closed, Bun.sleep(CLOSING_MS)]));
    }
  }
}

/** Loaded only where it is needed, which is never right here. */
async function spool(environment: Environment): Promise<SpooledStdin> {
  return await (await import("./spooled_stdin.ts")).SpooledStdin.make(environment);
}

/** Loaded only where it is asked for. */
async function record(path: string, notices: Notices): Promise<Recording> {
  return (await import("./recording.ts")).Recording.create(path, notices, systemClock);
}

/** Resolves as the start does; a refusal is told in the words of shells. */
async function started<T>(start: () => T | Promise<T>, attempt: StartAttempt): Promise<T> {
  try {
    return await start();
  } catch (error) {
    throw startError(error, attempt);
  }
}

/** Where the place looks for programs, as far as we know. */
function pathOf({ env, cleanEnv }: RunPlan, name: string | null): string | null {
  const inherited = name === null && !cleanEnv ? process.env["PATH"] : undefined;
  return env["PATH"] ?? inherited ?? null;
}

async function startOptions(
  plan: RunPlan,
  { environment, name }: OpenEnvironment,
  abilities: Abilities,
): Promise<StartOptions & { cwd: string }> {
  const shell = plan.argv === null ? (await environment.info()).shell.path : null;
  return {
    processId: name === null ? "run" : plan.keep === null ? `run-${crypto.randomUUID()}` : shortId(),
    ...(plan.keep === null ? {} : { keep: plan.keep }),
    ...(shell === null ? { argv: plan.argv!, arg0: null } : loginShell(shell, abilities)),
    cwd: await directory(plan.workdir, environment),
    env: plan.env,
    envPolicy: plan.cleanEnv ? null : INHERIT_ALL,
    tty: plan.terminal,
    pipeStdin: true,
    size: null,
    terminalSignalExit: "128+n",
  };
}

/** To be typed, and unlikely enough to be another's. */
function shortId(): string {
  return `run-${crypto.randomUUID().replaceAll("-", "").slice(0, 12)}`;
}

async function told(
  id: string,
  argv: readonly string[],
  on: string,
  events: JsonEvents | null,
): Promise<void> {
  if (events === null) await writeAll(STDOUT, new TextEncoder().encode(`${id}\n`));
  else await events.tell({ event: "start", id, argv, on });
}

/** By the dash a shell knows that it is the login shell. On a terminal a plain Codex server would run that name. */
function loginShell(path: string, { terminal }: Abilities): Pick<StartOptions, "argv" | "arg0"> {
  return terminal ? { argv: [path], arg0: `-${path.split("/").at(-1)}` } : { argv: [path, "-l"], arg0: null };
}

async function directory(asked: string | null, environment: Environment): Promise<string> {
  if (asked !== null && isAbsolute(asked)) return asked;
  const base = environment.isRemote ? await directoryThere(environment) : directoryHere();
  return asked === null ? base : join(base, asked);
}

/** A server may have lost its own directory; then any will do. */
async function directoryThere(environment: Environment): Promise<string> {
  const { cwd, home } = await environment.info();
  return cwd ?? home ?? "/";
}

function directoryHere(): string {
  try {
    return process.cwd();
  } catch {
    throw new CommandError("the current directory is gone", "name another with -w DIR", EXIT.notStarted);
  }
}

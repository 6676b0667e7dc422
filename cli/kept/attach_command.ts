import type { Abilities } from "../../lib/process/backend.ts";
import type { KeptProcess } from "../../lib/process/kept_processes.ts";
import type { Flags } from "../command.ts";
import { complain } from "../complain.ts";
import { EXIT, type ExitStatus, usageError } from "../exit_status.ts";
import type { Choice } from "../place/choose_environment.ts";
import { followCommand } from "../run/follow_command.ts";
import { JsonEvents } from "../run/json_events.ts";
import { Notices } from "../run/notices.ts";
import type { RunPlan } from "../run/run_plan.ts";
import { stdinIsTerminal, UserTerminal } from "../run/user_terminal.ts";
import { OutputError } from "../run/write_all.ts";
import { type OpenKept, processCalled, withKept } from "./open_kept.ts";
import { attachWords } from "./require_kept.ts";

/** `attach`: shows all that a kept process printed, stays with it, and ends as it does. */
export async function attachCommand(flags: Flags, [ref, more]: readonly string[]): Promise<ExitStatus> {
  if (ref === undefined) throw usageError("no process named", "attach");
  if (more !== undefined) throw usageError(`unexpected word ${more}`, "attach");
  const escapeKey = escapeKeyIn(flags);
  const status = await withKept(flags, "attach", EXIT.notStarted, async (open) => {
    const process = processCalled(ref, await open.kept.list(), EXIT.notStarted);
    return await follow(open, process, planFor(flags, open.place, process, escapeKey), flags);
  });
  // By force: a read of stdin would keep us here.
  process.exit(status);
}

async function follow(
  { environment, kept, place, name }: OpenKept,
  { processId, program, name: called }: KeptProcess,
  plan: RunPlan,
  flags: Flags,
): Promise<ExitStatus> {
  const writes = plan.stdin === "forward";
  const abilities: Abilities = await environment.backend().abilities();
  const handle = await kept.attach(processId, { write: writes });
  using terminal = plan.terminal ? new UserTerminal() : null;
  const size = writes ? terminal?.size() ?? null : null;
  // Whoever types sees it as large as his window is.
  if (size !== null) await handle.resize(size);
  try {
    const end = await followCommand({
      ...{ plan, handle, abilities, environment, name, terminal },
      argv: [program],
      recording: null,
      stdin: writes ? "forward" : "none",
      events: flags.has("json") ? new JsonEvents() : null,
      notices: new Notices(plan.talk),
      found: { command: attachWords(place, called ?? processId), isAttached: true },
    });
    return end.status;
  } catch (error) {
    if (!(error instanceof OutputError)) throw error;
    complain(error);
    return EXIT.unknown;
  }
}

/** A plan for what runs already: only what is shown and typed is still open. */
function planFor(flags: Flags, place: Choice, { tty }: KeptProcess, escapeKey: number | null): RunPlan {
  // The end of a pipe would be the end of its input: who wants that says it.
  const types = !flags.has("no-stdin") && (flags.has("interactive") || (tty && stdinIsTerminal()));
  return {
    ...{ place, escapeKey, reconnectMs: null, argv: null, workdir: null, env: {}, cleanEnv: false },
    terminal: tty,
    stdin: types ? "forward" : "none",
    limits: { wallMs: null, idleMs: null },
    ending: { signal: "TERM", ms: 0 },
    sandbox: null,
    leftovers: "keep",
    waitClosed: flags.has("wait-closed"),
    keep: null,
    record: null,
    detach: false,
    onDisconnect: "wait",
    talk: { quiet: flags.has("quiet"), verbose: flags.has("verbose"), color: "auto" },
  };
}

function escapeKeyIn(flags: Flags): number | null {
  const text = flags.text("escape-char") ?? "~";
  if (text === "none") return null;
  if (/^[\x21-\x7e]$/.test(text)) return text.charCodeAt(0);
  throw usageError(`option --escape-char takes one character or none, not "${text}"`, "attach");
}

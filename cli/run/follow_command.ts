import { systemClock } from "../../lib/base/clock.ts";
import { EscapeKeys } from "./escape_keys.ts";
import { CommandError, EXIT, type ExitStatus } from "../exit_status.ts";
import { LinkWatch } from "./link_watch.ts";
import { ownLimits } from "./enforcement.ts";
import { plainOutput } from "./plain_output.ts";
import { type OutputSink, pump, type PumpEnd } from "./pump.ts";
import type { CommandEnd, RunningCommand } from "./running_command.ts";
import { hearSignals } from "./signals.ts";
import { StdinPump } from "./stdin_pump.ts";
import { Steering } from "./steering.ts";
import { TimeLimits } from "./time_limits.ts";
import { stdinIsTerminal } from "./user_terminal.ts";

/** Everything that goes on between a command's start and its end; when this settles none of it does any more. */
export async function followCommand(running: RunningCommand): Promise<CommandEnd> {
  const { plan, terminal, notices } = running;
  const steering = new Steering(running);
  using limits = new TimeLimits(
    systemClock,
    ownLimits(plan, running.abilities),
    ({ kind }) => steering.limitReached(kind),
  );
  using link = new LinkWatch(running, steering, limits);
  using _signals = hearSignals((signal) => steering.heard(signal));
  terminal?.onResize((size) => steering.resized(size));
  const stdin = stdinPump(running, steering);
  if (stdin !== null && terminal !== null && stdinIsTerminal()) {
    terminal.enterRaw();
    notices.rawTerminal = true;
  }
  stdin?.run().catch((error) => steering.inputBroke(error));
  try {
    const end = await Promise.race([showOutput(running, steering, limits, link), steering.left]);
    terminal?.[Symbol.dispose]();
    notices.rawTerminal = false;
    if (end.kind === "left") return steering.leave(end);
    if (running.handle.log.exited?.sandboxDenied) {
      notices.say("the sandbox may have denied it something; see --sandbox, --network and --writable");
    }
    return { status: statusOf(end, steering.verdict, running), leavesItRunning: false };
  } catch (error) {
    // Nobody sees what it does any more, so it ends, as it would in a local pipe.
    if (!(error instanceof CommandError) && running.found === null) await steering.endUnseen();
    throw error;
  } finally {
    stdin?.stop();
  }
}

/** Resolves when all of it is shown. Rejects with BrokenPipe when nobody looks. */
async function showOutput(
  running: RunningCommand,
  steering: Steering,
  limits: TimeLimits,
  link: LinkWatch,
): Promise<PumpEnd> {
  const { events, handle, argv, name, plan, recording } = running;
  const sink = events ?? plainOutput;
  await events?.tell({ event: "start", id: handle.processId, argv, on: name ?? "here" });
  const end = await pump(handle, watched(recording?.before(sink) ?? sink, running, steering, limits), {
    clock: systemClock,
    waitClosed: plan.waitClosed,
    isHeard: () => link.isUp,
  });
  await events?.flush();
  return end;
}

function stdinPump(running: RunningCommand, steering: Steering): StdinPump | null {
  const { plan, handle, stdin } = running;
  if (stdin === "none") return null;
  const listens = plan.terminal && plan.escapeKey !== null && stdinIsTerminal();
  return new StdinPump(handle, {
    escapes: listens ? new EscapeKeys(plan.escapeKey) : null,
    escaped: (what) => steering.escaped(what),
    end: (writeId) => steering.inputEnded(writeId),
  });
}

/** Tells the limits what they must know. Time that we take to show output is not the command's idle time. */
function watched(
  sink: OutputSink,
  { plan, notices }: RunningCommand,
  steering: Steering,
  limits: TimeLimits,
): OutputSink {
  return {
    async output(stream, bytes) {
      limits.holdIdle();
      await sink.output(stream, bytes);
      limits.printed();
    },
    gap(bytes) {
      const much = bytes === null ? "some" : `${bytes} bytes`;
      notices.say(`${much} of its output is missing: more was printed than the server keeps`);
      return sink.gap(bytes);
    },
    exited(exitCode, sandboxDenied, account) {
      if (!plan.waitClosed) limits[Symbol.dispose]();
      if (account !== null) steering.ended(account);
      return sink.exited(exitCode, sandboxDenied, account);
    },
    closed: () => sink.closed(),
  };
}

function statusOf(
  end: PumpEnd,
  verdict: ExitStatus | null,
  { argv, handle, name, found }: RunningCommand,
): ExitStatus {
  if (end.kind === "exited") return verdict ?? (end.exitCode & 0xff);
  const command = JSON.stringify(argv[0]);
  if (end.exitCode !== null) {
    throw new CommandError(
      `lost the connection to ${name} after ${command} exited with ${end.exitCode}: ${end.message}`,
      "the end of its output may be missing",
      EXIT.unknown,
    );
  }
  throw new CommandError(
    `the result of ${command} is unknown: ${end.message}`,
    found === null
      ? `it may still run on ${name} as ${handle.processId}`
      : `it may still run there: \`${found.command}\``,
    EXIT.unknown,
  );
}

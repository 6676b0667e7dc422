import type { StartOptions } from "../process/backend.ts";
import type { LogPage } from "../process/event_log.ts";
import { decodeBase64 } from "../wire/base64.ts";
import type { WrittenResult } from "../wire/envelope.ts";
import type { Agreed } from "../wire/extensions.ts";
import { writeReadResult } from "../wire/process_events.ts";
import type { ReadResult } from "../wire/process_messages.ts";
import { INVALID_PARAMS, INVALID_REQUEST, WireError } from "../wire/wire_error.ts";
import { found } from "./found.ts";
import { nativeDirectory } from "./native_path.ts";
import { accountInWords, gapInWords, outcomeOptions } from "./outcome_words.ts";
import type { Routes } from "./route.ts";
import { sandboxOf } from "./sandbox_gate.ts";
import type { Session, Started } from "./session.ts";
import { digestOfStart } from "./start_ledger.ts";

/** `process/*`: wire words in, processes out. */
export const processRoutes: Pick<
  Routes,
  | "process/start"
  | "process/read"
  | "process/write"
  | "process/closeStdin"
  | "process/signal"
  | "process/resize"
  | "process/terminate"
> = {
  "process/start"(params, { session, agreed }) {
    const { processId, argv, arg0, env, envPolicy, tty, pipeStdin } = params;
    const startId = params.startId ?? null;
    const digest = startId === null ? "" : digestOfStart(params);
    const { sandboxType, sandboxed } = sandboxOf(params);
    const inWords = ({ tell }: Started) => {
      tell();
      return { processId, sandboxType };
    };
    if (startId !== null) {
      const first = session.starts.repeated(
        startId,
        digest,
        ({ process }) => session.process(processId) === process,
      );
      if (first !== null) return found(first, inWords);
    }
    if (argv.length === 0) throw new WireError(INVALID_PARAMS, "argv must not be empty");
    const cwd = nativeDirectory(params.cwd);
    const started = session.start({
      processId,
      argv,
      arg0,
      cwd,
      env,
      envPolicy,
      tty,
      pipeStdin,
      size: params.size ?? null,
      terminalSignalExit: agreed.has("terminal.v1") ? "128+n" : "one",
      ...outcomeOptions(params),
      ...keepOption(params),
    }, sandboxed);
    if (startId !== null) session.starts.note(startId, digest, started);
    return found(started, inWords);
  },

  "process/read"(params, { session, gone, pages, agreed }) {
    const { processId, afterSeq, maxBytes, waitMs } = params;
    const process = session.process(processId);
    if (process === undefined) throw noProcess(processId, session);
    const options = { afterSeq: afterSeq ?? 0, maxBytes, waitMs: waitMs ?? 0 };
    const inWords = (page: LogPage) => {
      session.wasRead(process, page);
      return pageInWords(page, agreed);
    };
    if (process.log.isInMemory(options.afterSeq)) return found(process.read(options, gone), inWords);
    return pages.find(() => process.read(options, gone), inWords);
  },

  "process/write"({ processId, chunk, writeId }, { session, gone }) {
    const bytes = decodeBase64(chunk);
    if (writeId === "") throw new WireError(INVALID_PARAMS, "writeId must not be empty");
    const process = session.process(processId);
    if (process === undefined) return () => ({ status: notWritten(processId, session) });
    session.seat.requireInput(process);
    const ownId = session.seat.writeId(process, writeId);
    return found(process.write(bytes, ownId, gone), (status) => ({ status }));
  },

  "process/closeStdin"({ processId, writeId }, { session, gone }) {
    if (writeId === "") throw new WireError(INVALID_PARAMS, "writeId must not be empty");
    const process = session.process(processId);
    if (process === undefined) return () => ({ status: notWritten(processId, session) });
    session.seat.requireInput(process);
    const ownId = session.seat.writeId(process, writeId);
    return found(process.closeInput(ownId, gone), (status) => ({ status }));
  },

  "process/signal"({ processId, signal }, { session }) {
    session.process(processId)?.signal(signal === "interrupt" ? "INT" : signal);
    return () => ({});
  },

  "process/resize"({ processId, rows, cols }, { session }) {
    const process = session.process(processId);
    if (process !== undefined) session.seat.requireInput(process);
    (process ?? session.starting(processId))?.resize({ rows, cols });
    return () => ({});
  },

  "process/terminate"({ processId, signal, graceMs }, { session, agreed }) {
    const start = session.starting(processId);
    if (start !== undefined) {
      start.cancel();
      return () => ({ running: true });
    }
    const grace = signal ? { signal, ms: graceMs ?? 0 } : undefined;
    const process = session.process(processId);
    const running = process?.terminate(grace) ?? false;
    const survivors = agreed.has("signals.v1") ? { survivors: process?.survivors() ?? null } : {};
    return () => ({ running, ...survivors });
  },
};

/** What makes it one that is kept is that it is to be found, or to be read for a while. */
function keepOption(
  { name = null, labels = null, keepMs = null }: {
    readonly name?: string | null | undefined;
    readonly labels?: Readonly<Record<string, string>> | null | undefined;
    readonly keepMs?: number | null | undefined;
  },
): Pick<StartOptions, "keep"> {
  if (name !== null || keepMs !== null) return { keep: { name, labels: labels ?? {}, ms: keepMs } };
  if (labels !== null) throw new WireError(INVALID_PARAMS, "labels are of a process with `name` or `keepMs`");
  return {};
}

function noProcess(processId: string, session: Session): WireError {
  return session.starting(processId) === undefined
    ? new WireError(INVALID_REQUEST, `unknown process id ${processId}`)
    : new WireError(INVALID_REQUEST, `process id ${processId} is starting`);
}

function notWritten(processId: string, session: Session): "starting" | "unknownProcess" {
  return session.starting(processId) === undefined ? "unknownProcess" : "starting";
}

function pageInWords(
  { chunks, gaps, nextSeq, exited, closed, failure }: LogPage,
  agreed: Agreed,
): WrittenResult<ReadResult> {
  return writeReadResult(chunks, {
    nextSeq,
    exited: exited !== null,
    exitCode: exited?.exitCode ?? null,
    closed,
    failure,
    sandboxDenied: exited?.sandboxDenied ?? false,
    ...accountInWords(exited?.account, agreed),
    ...(gaps.length > 0 && agreed.has("outcome.v1") ? { gaps: gaps.map(gapInWords) } : {}),
  });
}

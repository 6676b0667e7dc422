import type { LogPage } from "../process/event_log.ts";
import { decodeBase64, encodeBase64 } from "../wire/base64.ts";
import type { ReadResult } from "../wire/process_messages.ts";
import { INVALID_PARAMS, INVALID_REQUEST, WireError } from "../wire/wire_error.ts";
import { found } from "./found.ts";
import { nativeDirectory } from "./native_path.ts";
import type { Routes } from "./route.ts";
import { sandboxOf } from "./sandbox_gate.ts";
import type { Session } from "./session.ts";

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
    const { sandboxType, sandboxed } = sandboxOf(params);
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
    }, sandboxed);
    return found(started, ({ tell }) => {
      tell();
      return { processId, sandboxType };
    });
  },

  "process/read"({ processId, afterSeq, maxBytes, waitMs }, { session, gone }) {
    const process = session.process(processId);
    if (process === undefined) throw noProcess(processId, session);
    const page = process.read({ afterSeq: afterSeq ?? 0, maxBytes, waitMs: waitMs ?? 0 }, gone);
    return found(page, pageInWords);
  },

  "process/write"({ processId, chunk, writeId }, { session, gone }) {
    const bytes = decodeBase64(chunk);
    if (writeId === "") throw new WireError(INVALID_PARAMS, "writeId must not be empty");
    const process = session.process(processId);
    if (process === undefined) return () => ({ status: notWritten(processId, session) });
    return found(process.write(bytes, writeId, gone), (status) => ({ status }));
  },

  "process/closeStdin"({ processId, writeId }, { session, gone }) {
    if (writeId === "") throw new WireError(INVALID_PARAMS, "writeId must not be empty");
    const process = session.process(processId);
    if (process === undefined) return () => ({ status: notWritten(processId, session) });
    return found(process.closeInput(writeId, gone), (status) => ({ status }));
  },

  "process/signal"({ processId, signal }, { session }) {
    session.process(processId)?.signal(signal === "interrupt" ? "INT" : signal);
    return () => ({});
  },

  "process/resize"({ processId, rows, cols }, { session }) {
    (session.process(processId) ?? session.starting(processId))?.resize({ rows, cols });
    return () => ({});
  },

  "process/terminate"({ processId, signal, graceMs }, { session }) {
    const start = session.starting(processId);
    if (start !== undefined) {
      start.cancel();
      return () => ({ running: true });
    }
    const grace = signal ? { signal, ms: graceMs ?? 0 } : undefined;
    const running = session.process(processId)?.terminate(grace) ?? false;
    return () => ({ running });
  },
};

function noProcess(processId: string, session: Session): WireError {
  return session.starting(processId) === undefined
    ? new WireError(INVALID_REQUEST, `unknown process id ${processId}`)
    : new WireError(INVALID_REQUEST, `process id ${processId} is starting`);
}

function notWritten(processId: string, session: Session): "starting" | "unknownProcess" {
  return session.starting(processId) === undefined ? "unknownProcess" : "starting";
}

function pageInWords({ chunks, nextSeq, exited, closed, failure }: LogPage): ReadResult {
  return {
    chunks: chunks.map(({ seq, stream, bytes }) => ({ seq, stream, chunk: encodeBase64(bytes) })),
    nextSeq,
    exited: exited !== null,
    exitCode: exited?.exitCode ?? null,
    closed,
    failure,
    sandboxDenied: exited?.sandboxDenied ?? false,
  };
}

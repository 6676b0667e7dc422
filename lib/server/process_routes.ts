import type { LogPage } from "../process/event_log.ts";
import { decodeBase64, encodeBase64 } from "../wire/base64.ts";
import type { ReadResult } from "../wire/process_messages.ts";
import { INVALID_PARAMS, INVALID_REQUEST, WireError } from "../wire/wire_error.ts";
import { nativeDirectory } from "./native_path.ts";
import type { Routes } from "./route.ts";
import { refuseUnenforceable } from "./sandbox_gate.ts";

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
    refuseUnenforceable(params);
    const { processId, argv, arg0, env, envPolicy, tty, pipeStdin } = params;
    if (argv.length === 0) throw new WireError(INVALID_PARAMS, "argv must not be empty");
    const cwd = nativeDirectory(params.cwd);
    session.start({
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
    });
    return () => ({ processId, sandboxType: "none" });
  },

  "process/read"({ processId, afterSeq, maxBytes, waitMs }, { session, gone }) {
    const process = session.process(processId);
    if (process === undefined) throw new WireError(INVALID_REQUEST, `unknown process id ${processId}`);
    const page = process.read({ afterSeq: afterSeq ?? 0, maxBytes, waitMs: waitMs ?? 0 }, gone);
    if (page instanceof Promise) return page.then((later) => () => pageInWords(later));
    return () => pageInWords(page);
  },

  "process/write"({ processId, chunk, writeId }, { session, gone }) {
    const bytes = decodeBase64(chunk);
    if (writeId === "") throw new WireError(INVALID_PARAMS, "writeId must not be empty");
    const process = session.process(processId);
    if (process === undefined) return () => ({ status: "unknownProcess" });
    const status = process.write(bytes, writeId, gone);
    if (status instanceof Promise) return status.then((later) => () => ({ status: later }));
    return () => ({ status });
  },

  "process/closeStdin"({ processId, writeId }, { session, gone }) {
    if (writeId === "") throw new WireError(INVALID_PARAMS, "writeId must not be empty");
    const process = session.process(processId);
    if (process === undefined) return () => ({ status: "unknownProcess" });
    const status = process.closeInput(writeId, gone);
    if (status instanceof Promise) return status.then((later) => () => ({ status: later }));
    return () => ({ status });
  },

  "process/signal"({ processId, signal }, { session }) {
    session.process(processId)?.signal(signal === "interrupt" ? "INT" : signal);
    return () => ({});
  },

  "process/resize"({ processId, rows, cols }, { session }) {
    session.process(processId)?.resize({ rows, cols });
    return () => ({});
  },

  "process/terminate"({ processId, signal, graceMs }, { session }) {
    const grace = signal ? { signal, ms: graceMs ?? 0 } : undefined;
    const running = session.process(processId)?.terminate(grace) ?? false;
    return () => ({ running });
  },
};

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

import type { ProcessHandle } from "../process/backend.ts";
import type { KeptProcess, KeptProcesses, LogFound, LogQuery } from "../process/kept_processes.ts";
import type { Ending } from "../process/limits.ts";
import { ProcessError } from "../process/process_error.ts";
import type { Signal } from "../process/signal.ts";
import { decodeBase64 } from "../wire/base64.ts";
import {
  type KeptAnswer,
  readListAnswer,
  readLogsAnswer,
  readTerminateAnswer,
  readWaitAnswer,
} from "../wire/client_messages.ts";
import { INVALID_PARAMS, UNKNOWN_METHOD } from "../wire/wire_error.ts";
import { accountOf } from "./account_words.ts";
import { ClientError, inClientWords } from "./client_error.ts";
import type { RemoteBackend } from "./remote_backend.ts";
import type { Uplink } from "./uplink.ts";

/** How long one question waits for its answer there; then it is asked again. */
const WAIT_MS = 30_000;

/** The processes that a server keeps (`processes.v1`). */
export class RemoteKept implements KeptProcesses {
  constructor(private readonly uplink: Uplink, private readonly backend: RemoteBackend) {}

  async list(): Promise<KeptProcess[]> {
    const { processes } = await this.#ask("process/list", {}, readListAnswer);
    return processes.map(keptIn);
  }

  attach(processId: string, { write }: { readonly write: boolean }): Promise<ProcessHandle> {
    return this.backend.attach(processId, write);
  }

  async wait(processId: string): Promise<KeptProcess> {
    while (true) {
      const { process } = await this.#again("process/wait", { processId, waitMs: WAIT_MS }, readWaitAnswer);
      if (process.state !== "running") return keptIn(process);
    }
  }

  async logs(processId: string, { from, ...query }: LogQuery): Promise<LogFound> {
    const params = { processId, ...query, ...(from === undefined ? {} : { cursor: from }) };
    const found = await this.#again("process/logs", params, readLogsAnswer);
    return {
      chunks: found.chunks.map(({ seq, stream, chunk }) => ({ seq, stream, bytes: decodeBase64(chunk) })),
      gaps: found.gaps,
      place: found.cursor,
      more: found.more,
      isCut: found.cut,
      process: keptIn(found.process),
    };
  }

  async signal(processId: string, signal: Signal): Promise<void> {
    await this.#ask("process/signal", { processId, signal }, () => {});
  }

  async terminate(processId: string, grace?: Ending): Promise<boolean> {
    const params = grace === undefined
      ? { processId }
      : { processId, signal: grace.signal, graceMs: grace.ms };
    return (await this.#ask("process/terminate", params, readTerminateAnswer)).running;
  }

  async #ask<Answer>(method: string, params: object, read: (result: unknown) => Answer): Promise<Answer> {
    try {
      return read(await this.uplink.call(method, params));
    } catch (error) {
      throw inProcessWords(inClientWords(error));
    }
  }

  /** A question that changes nothing is asked again on the next connection. */
  async #again<Answer>(method: string, params: object, read: (result: unknown) => Answer): Promise<Answer> {
    while (true) {
      try {
        return read(await this.uplink.call(method, params));
      } catch (caught) {
        const error = inClientWords(caught);
        const isCut = error.code === "disconnected" && this.uplink.state.state !== "failed";
        if (!isCut) throw inProcessWords(error);
      }
    }
  }
}

function inProcessWords({ message, rejection }: ClientError): ProcessError {
  if (rejection === null) return new ProcessError("lost", message);
  if (rejection.code === UNKNOWN_METHOD) return new ProcessError("unsupported", rejection.message);
  return new ProcessError(rejection.code === INVALID_PARAMS ? "invalid" : "unknown", rejection.message);
}

function keptIn({ outcome, usage, leftovers, ...told }: KeptAnswer): KeptProcess {
  return { ...told, account: accountOf({ outcome, usage, leftovers }) };
}

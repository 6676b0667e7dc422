import { type Clock, systemClock } from "../base/clock.ts";
import type { FileSystem } from "../fs/file_system.ts";
import type { KeptProcesses } from "../process/kept_processes.ts";
import type { HttpClient } from "../http/http_client.ts";
import type { CallOptions } from "../rpc/caller.ts";
import { readEnvironmentInfo, readStatusAnswer } from "../wire/client_messages.ts";
import { DecodeError } from "../wire/decode_error.ts";
import type { EnvironmentInfo, EnvironmentStatus } from "../wire/environment_messages.ts";
import { type Agreed, type Extension, EXTENSIONS } from "../wire/extensions.ts";
import { ClientError, inClientWords } from "./client_error.ts";
import type { ClientState } from "./connection_state.ts";
import type { Dial } from "./open_session.ts";
import { ATTACH_MS, RECOVER_MS, RETRY_MS } from "./recovery.ts";
import { RemoteBackend } from "./remote_backend.ts";
import { Uplink } from "./uplink.ts";

export type { ClientState } from "./connection_state.ts";
export type { Dial } from "./open_session.ts";
export { ClientError } from "./client_error.ts";

const INITIALIZE_MS = 10_000;
const INFO_MS = 30_000;
const STATUS_MS = 10_000;

export interface RemoteClientOptions {
  /** Opens a fresh physical connection. */
  readonly dial: Dial;
  /** Who we say we are: `codex-environment` for environments. */
  readonly clientName: string;
  /** False where a lost connection takes the session with it, as over stdio. */
  readonly reconnects: boolean;
  readonly clock?: Clock;
  /** What to offer beyond Codex; everything we know where absent. */
  readonly extensions?: readonly Extension[];
  readonly timeouts?: {
    readonly initializeMs?: number;
    readonly attachMs?: number;
    readonly recoverMs?: number;
    readonly retryMs?: number;
  };
}

/** One logical client of one server session, over as many connections as it takes. */
export class RemoteClient implements AsyncDisposable {
  #files: Promise<FileSystem> | null = null;
  #http: Promise<HttpClient> | null = null;

  private constructor(
    private readonly uplink: Uplink,
    readonly backend: RemoteBackend,
    /** What the server is, as it said when it was first met. */
    readonly info: EnvironmentInfo,
  ) {}

  /** Connects and introduces itself. Rejects with a ClientError, and then nothing is left open. */
  static async connect(options: RemoteClientOptions): Promise<RemoteClient> {
    const { dial, clientName, reconnects, clock = systemClock, extensions = EXTENSIONS, timeouts = {} } =
      options;
    const { initializeMs = INITIALIZE_MS, attachMs = ATTACH_MS, recoverMs = RECOVER_MS, retryMs = RETRY_MS } =
      timeouts;
    const waits = { initializeMs, attachMs, recoverMs, retryMs };
    const uplink = new Uplink({ dial, clientName, reconnects, clock, extensions, ...waits });
    const backend = new RemoteBackend(uplink, clock);
    const { environmentInfo } = await uplink.open(backend);
    try {
      return new RemoteClient(uplink, backend, await infoFrom(environmentInfo, uplink));
    } catch (error) {
      await uplink.close();
      throw inClientWords(error);
    }
  }

  get state(): ClientState {
    return this.uplink.state;
  }

  /** Calls the listener at every change until the returned function is called. */
  onState(listener: (state: ClientState) => void): () => void {
    return this.uplink.onState(listener);
  }

  /** The extensions agreed on the current connection; while there is none, those of the last. */
  get agreed(): Agreed {
    return this.uplink.agreed;
  }

  /** The files there; always the same. Loaded when they are first needed. */
  files(): Promise<FileSystem> {
    const load = async () => {
      const { RemoteFileSystem } = await import("./remote_file_system.ts");
      return new RemoteFileSystem(this.uplink, this.info);
    };
    return (this.#files ??= load());
  }

  /** Makes requests from there; always the same. Loaded when it is first needed. */
  http(): Promise<HttpClient> {
    const load = async () => {
      const { RemoteHttpClient } = await import("./remote_http_client.ts");
      return new RemoteHttpClient(this.uplink, this.info);
    };
    return (this.#http ??= load());
  }

  /** The processes that are kept there; null where nothing outlives its session. */
  async kept(): Promise<KeptProcesses | null> {
    const { agreed } = this.uplink.session ?? await this.uplink.whenConnected();
    if (!agreed.has("processes.v1")) return null;
    const { RemoteKept } = await import("./remote_kept.ts");
    return new RemoteKept(this.uplink, this.backend);
  }

  /** Asks the server, now. Rejects with a ClientError. */
  async status(): Promise<EnvironmentStatus> {
    const { status } = await this.#decoded(
      this.call("environment/status", null, { timeoutMs: STATUS_MS }),
      readStatusAnswer,
    );
    if (status === "ready") return { status };
    throw new ClientError("protocol", `exec-server protocol error: unknown environment status ${status}`);
  }

  /**
   * One call, sent once: when the connection is lost before the answer, it fails. Waits while the connection is being
   * recovered. Rejects with a ClientError.
   */
  call(method: string, params: unknown, options?: CallOptions): Promise<unknown> {
    return this.uplink.call(method, params, options);
  }

  /** Ends the connection and nothing else: the processes go on until the server's patience ends. */
  leave(): Promise<void> {
    return this.uplink.close();
  }

  /** Ends every process that it started, then the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.backend[Symbol.asyncDispose]();
    await this.uplink.close();
  }

  async #decoded<Result>(answer: Promise<unknown>, read: (result: unknown) => Result): Promise<Result> {
    const result = await answer;
    try {
      return read(result);
    } catch (error) {
      throw inClientWords(error);
    }
  }
}

/** Since 0.169 a server says it unasked. One that cannot say it is taken for the plainest there is. */
async function infoFrom(told: unknown, uplink: Uplink): Promise<EnvironmentInfo> {
  if (told !== undefined && told !== null) return readEnvironmentInfo(told);
  try {
    return readEnvironmentInfo(await uplink.call("environment/info", null, { timeoutMs: INFO_MS }));
  } catch (error) {
    const refused = error instanceof ClientError && error.code === "rejected";
    if (!refused && !(error instanceof DecodeError)) throw error;
    return readEnvironmentInfo({ shell: { name: "sh", path: "/bin/sh" } });
  }
}

import type { FileSystem } from "../fs/file_system.ts";
import type { HttpClient } from "../http/http_client.ts";
import type { Backend, ProcessHandle, StartOptions } from "../process/backend.ts";
import type { KeptProcesses } from "../process/kept_processes.ts";
import type { Intent } from "../sandbox/intent.ts";

/** How it stands with a connection that repairs itself. `failed` is the end of it. */
export type LinkState =
  | { readonly state: "connected" }
  | { readonly state: "recovering"; readonly attempt: number; readonly cause: string }
  | { readonly state: "failed"; readonly message: string };

/** What a server tells about itself. Servers grow: each member may be missing, and paths are URIs. */
export interface FarInfo {
  readonly shell: { readonly name: string; readonly path: string };
  readonly executorVersion?: string;
  readonly cwd?: string | null;
  readonly userHomeDir?: string;
  readonly platformOs?: string;
  readonly tempDir?: string;
  readonly capabilities?: Readonly<Record<string, unknown>>;
}

/** Starts processes there, confined where an intent says how. */
export interface FarBackend extends Backend {
  start(options: StartOptions, sandbox?: Intent | null): ProcessHandle | Promise<ProcessHandle>;
}

/** What an environment needs of the client that stays with a server. */
export interface FarClient extends AsyncDisposable {
  readonly backend: FarBackend;
  /** Its files, and requests from there. */
  files(): Promise<FileSystem>;
  http(): Promise<HttpClient>;
  /** null where nothing outlives its session. */
  kept(): Promise<KeptProcesses | null>;
  readonly state: LinkState;
  onState(listener: (state: LinkState) => void): () => void;
  readonly agreed: ReadonlySet<string>;
  readonly info: FarInfo;
  /** Resolves when the server answers now. */
  status(): Promise<unknown>;
}

/** Makes one attempt to reach a server. Rejects soon after it was given up. */
export type Connect = (givenUp: AbortSignal) => Promise<FarClient>;

import { systemClock } from "../base/clock.ts";
import type { FileSystem } from "../fs/file_system.ts";
import type { HttpClient } from "../http/http_client.ts";
import type { SandboxedStart } from "../process/local/confinement.ts";
import type { LocalHttpClient } from "../http/local/local_http_client.ts";
import { LocalBackend } from "../process/local/local_backend.ts";
import {
  ALL_CAPABILITIES,
  type Capabilities,
  type Environment,
  type EnvironmentBackend,
  type EnvironmentInfo,
  type EnvironmentStatus,
  LOCAL_ENVIRONMENT_ID,
  NO_ENVIRONMENT,
} from "./environment.ts";
import { EnvironmentError } from "./environment_error.ts";
import { localInfo } from "./local_info.ts";
import type { Intent } from "../sandbox/intent.ts";
import { ReachedFiles } from "./reached_files.ts";
import { ReachedHttp } from "./reached_http.ts";

/** This machine. Always ready. */
export class LocalEnvironment implements Environment {
  readonly id = LOCAL_ENVIRONMENT_ID;
  readonly isRemote = false;
  readonly startupFinished = true;
  readonly #backend = new LocalBackend(systemClock);
  #http: Promise<LocalHttpClient> | null = null;

  constructor(readonly capabilities: Capabilities = ALL_CAPABILITIES) {}

  backend(): EnvironmentBackend {
    if (!this.capabilities.execEnabled) throw new EnvironmentError("unavailable", NO_ENVIRONMENT);
    const backend = this.#backend;
    return {
      abilities: () => backend.abilities(),
      // What it throws at once becomes a rejection, as it is elsewhere.
      start: async (options, sandbox = null) =>
        await backend.start(options, sandbox === null ? null : await sandboxedHere(sandbox)),
    };
  }

  fileSystem(): FileSystem {
    if (!this.capabilities.filesystemEnabled) throw new EnvironmentError("unavailable", NO_ENVIRONMENT);
    return new ReachedFiles(localFiles);
  }

  http(): HttpClient {
    return new ReachedHttp(() => this.#http ??= localHttp());
  }

  kept(): Promise<null> {
    return Promise.resolve(null);
  }

  info(): Promise<EnvironmentInfo> {
    return Promise.resolve(localInfo());
  }

  status(): Promise<EnvironmentStatus> {
    return Promise.resolve({ kind: "ready" });
  }

  waitUntilReady(): Promise<void> {
    return Promise.resolve();
  }

  onConnectionState(): null {
    return null;
  }

  onLinkState(): null {
    return null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([
      this.#backend[Symbol.asyncDispose](),
      this.#http?.then((client) => client.close()),
    ]);
  }
}

// Loaded when they are first used: a command that only runs does not pay for them.

async function sandboxedHere(intent: Intent): Promise<SandboxedStart> {
  return (await import("../sandbox/sandboxed_start.ts")).sandboxedStart(intent);
}

async function localFiles(): Promise<FileSystem> {
  return (await import("../fs/local/local_file_system.ts")).localFileSystem;
}

async function localHttp(): Promise<LocalHttpClient> {
  const { LocalHttpClient } = await import("../http/local/local_http_client.ts");
  return new LocalHttpClient(systemClock);
}

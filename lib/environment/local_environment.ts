import { systemClock } from "../base/clock.ts";
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

/** This machine. Always ready. */
export class LocalEnvironment implements Environment {
  readonly id = LOCAL_ENVIRONMENT_ID;
  readonly isRemote = false;
  readonly startupFinished = true;
  readonly #backend = new LocalBackend(systemClock);

  constructor(readonly capabilities: Capabilities = ALL_CAPABILITIES) {}

  backend(): EnvironmentBackend {
    if (!this.capabilities.execEnabled) throw new EnvironmentError("unavailable", NO_ENVIRONMENT);
    const backend = this.#backend;
    return {
      abilities: () => backend.abilities(),
      // What it throws at once becomes a rejection, as it is elsewhere.
      start: (options) => new Promise((resolve) => resolve(backend.start(options))),
    };
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

  [Symbol.asyncDispose](): Promise<void> {
    return this.#backend[Symbol.asyncDispose]();
  }
}

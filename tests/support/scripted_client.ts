import type { Connect, FarClient, FarInfo, LinkState } from "../../lib/environment/far_client.ts";
import type { FileSystem } from "../../lib/fs/file_system.ts";
import { localFileSystem } from "../../lib/fs/local/local_file_system.ts";
import type { HttpClient } from "../../lib/http/http_client.ts";
import { LocalHttpClient } from "../../lib/http/local/local_http_client.ts";
import { LocalBackend } from "../../lib/process/local/local_backend.ts";
import { systemClock } from "../../lib/base/clock.ts";

/** A client whose connection does what a test says. Its processes and files are real, and here. */
export class ScriptedClient implements FarClient {
  readonly backend = new LocalBackend(systemClock);
  readonly kept = () => Promise.resolve(null);
  readonly agreed: ReadonlySet<string> = new Set(["terminal.v1"]);
  state: LinkState = { state: "connected" };
  disposed = false;
  probes = 0;
  probe: () => Promise<void> = () => Promise.resolve();
  readonly #listeners = new Set<(state: LinkState) => void>();

  constructor(
    readonly info: FarInfo = {
      shell: { name: "sh", path: "/bin/sh" },
      cwd: "file:///tmp/a%20b",
      capabilities: {},
    },
  ) {}

  files(): Promise<FileSystem> {
    return Promise.resolve(localFileSystem);
  }

  http(): Promise<HttpClient> {
    return Promise.resolve(new LocalHttpClient(systemClock));
  }

  onState(listener: (state: LinkState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  status(): Promise<void> {
    this.probes += 1;
    return this.probe();
  }

  move(state: LinkState): void {
    this.state = state;
    for (const listener of this.#listeners) listener(state);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.disposed = true;
    await this.backend[Symbol.asyncDispose]();
  }
}

/** One attempt to connect, which a test ends as it likes. */
export interface Attempt {
  readonly givenUp: AbortSignal;
  succeed(client?: ScriptedClient): ScriptedClient;
  fail(message: string): void;
}

/** Records the attempts, oldest first; none ends by itself. */
export class ScriptedConnect {
  readonly attempts: Attempt[] = [];

  readonly connect: Connect = (givenUp) => {
    const { promise, resolve, reject } = Promise.withResolvers<FarClient>();
    this.attempts.push({
      givenUp,
      succeed: (client = new ScriptedClient()) => {
        resolve(client);
        return client;
      },
      fail: (message) => reject(new Error(message)),
    });
    return promise;
  };
}

/** Lets everything that only waits for promises happen. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

import type { FileSystem } from "../fs/file_system.ts";
import type { HttpClient } from "../http/http_client.ts";
import type { Abilities, ProcessHandle, StartOptions } from "../process/backend.ts";
import type { KeptProcesses } from "../process/kept_processes.ts";
import type { Intent } from "../sandbox/intent.ts";
import {
  ALL_CAPABILITIES,
  type Capabilities,
  type ConnectionState,
  type Environment,
  type EnvironmentBackend,
  type EnvironmentInfo,
  type EnvironmentStatus,
  NO_ENVIRONMENT,
  type UseOptions,
} from "./environment.ts";
import { EnvironmentError } from "./environment_error.ts";
import type { Connect, FarClient, LinkState } from "./far_client.ts";
import { infoFrom } from "./far_info.ts";
import { LazyClient } from "./lazy_client.ts";
import { ReachedFiles } from "./reached_files.ts";
import { ReachedHttp } from "./reached_http.ts";

export interface RemoteOptions {
  readonly id: string;
  readonly connect: Connect;
  /** `final`: after one failure or loss it stays away, as a program on stdio does. */
  readonly failures: "final" | "retried";
  readonly capabilities?: Capabilities;
}

/** A server. Making one never waits and never fails: the first use connects. */
export class RemoteEnvironment implements Environment {
  readonly id: string;
  readonly isRemote = true;
  readonly capabilities: Capabilities;
  readonly #client: LazyClient;

  constructor({ id, connect, failures, capabilities = ALL_CAPABILITIES }: RemoteOptions) {
    this.id = id;
    this.capabilities = capabilities;
    this.#client = new LazyClient(connect, failures);
  }

  backend(options?: UseOptions): EnvironmentBackend {
    if (!this.capabilities.execEnabled) throw new EnvironmentError("unavailable", NO_ENVIRONMENT);
    return new FarBackend(this.#reach(options));
  }

  fileSystem(options?: UseOptions): FileSystem {
    if (!this.capabilities.filesystemEnabled) throw new EnvironmentError("unavailable", NO_ENVIRONMENT);
    const reach = this.#reach(options);
    return new ReachedFiles(async () => (await reach()).files());
  }

  http(options?: UseOptions): HttpClient {
    const reach = this.#reach(options);
    return new ReachedHttp(async () => (await reach()).http());
  }

  async kept(options?: UseOptions): Promise<KeptProcesses | null> {
    if (!this.capabilities.execEnabled) throw new EnvironmentError("unavailable", NO_ENVIRONMENT);
    return await (await this.#reach(options)()).kept();
  }

  async info(): Promise<EnvironmentInfo> {
    const { info, agreed } = await this.#client.use();
    return infoFrom(info, [...agreed]);
  }

  status(): Promise<EnvironmentStatus> {
    return this.#client.status();
  }

  async waitUntilReady(): Promise<void> {
    await this.#client.use();
  }

  get startupFinished(): boolean {
    return this.#client.startupFinished;
  }

  onConnectionState(listener: (state: ConnectionState) => void): () => void {
    return this.#client.onConnectionState(listener);
  }

  onLinkState(listener: (state: LinkState) => void): () => void {
    return this.#client.onLinkState(listener);
  }

  connectInBackground(): void {
    this.#client.connectInBackground();
  }

  /** Somebody else has its id now. What is connected goes on for those who hold it. */
  abandonStartup(): void {
    this.#client.abandonStartup(`environment \`${this.id}\` was replaced`);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#client[Symbol.asyncDispose]();
  }

  #reach({ reconnect = true }: UseOptions = {}): () => FarClient | Promise<FarClient> {
    return reconnect ? () => this.#client.use() : () => this.#client.current();
  }
}

/** Starts processes through whatever client there is at that moment. */
class FarBackend implements EnvironmentBackend {
  constructor(private readonly client: () => FarClient | Promise<FarClient>) {}

  async abilities(): Promise<Abilities> {
    return (await this.client()).backend.abilities();
  }

  async start(options: StartOptions, sandbox: Intent | null = null): Promise<ProcessHandle> {
    return (await this.client()).backend.start(options, sandbox);
  }
}

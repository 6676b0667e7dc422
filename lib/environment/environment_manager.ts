import { connectTo, remoteEnvironment } from "./connect_remote.ts";
import type { Variables } from "./codex_home.ts";
import { DefaultProvider } from "./default_provider.ts";
import { DeferredRegistration } from "./deferred_environment.ts";
import { type Environment, type EnvironmentStatus, LOCAL_ENVIRONMENT_ID } from "./environment.ts";
import { EnvironmentError } from "./environment_error.ts";
import type { EnvironmentProvider, EnvironmentSnapshot } from "./environment_provider.ts";
import type { EnvironmentSpec } from "./environment_spec.ts";
import type { Connect } from "./far_client.ts";
import { LocalEnvironment } from "./local_environment.ts";
import type { RemoteEnvironment } from "./remote_environment.ts";

export interface ManagerOptions {
  /** How a server is reached; handed in by tests. */
  readonly connect?: (spec: EnvironmentSpec) => Connect;
}

interface Entry {
  readonly environment: RemoteEnvironment;
  readonly registration: DeferredRegistration | null;
}

/** All environments there are, by id. Whoever disposes it ends them all. */
export class EnvironmentManager implements AsyncDisposable {
  readonly #remotes = new Map<string, Entry>();
  /** Gone from the list, but those who hold one go on with it until we end. */
  readonly #replaced = new Set<Environment>();
  readonly #local: LocalEnvironment | null;
  readonly #default: string | null;
  readonly #connect: (spec: EnvironmentSpec) => Connect;

  /** Throws an EnvironmentError for a snapshot that contradicts itself; never waits for a server. */
  constructor(snapshot: EnvironmentSnapshot, { connect = connectTo }: ManagerOptions = {}) {
    this.#connect = connect;
    this.#local = snapshot.includeLocal ? new LocalEnvironment() : null;
    for (const [id, spec] of snapshot.environments) {
      refuseBadId(id);
      if (this.#remotes.has(id)) throw refused(`environment id \`${id}\` is duplicated`);
      this.#remotes.set(id, this.#entry(id, spec));
    }
    this.#default = snapshot.default;
    if (this.#default !== null && this.get(this.#default) === null) {
      throw refused(`default environment \`${this.#default}\` is not configured`);
    }
    // Only now: nothing may have been started when the constructor throws.
    for (const [id, spec] of snapshot.environments) this.#connectEarly(id, spec);
  }

  static async from(provider: EnvironmentProvider, options?: ManagerOptions): Promise<EnvironmentManager> {
    return new EnvironmentManager(await provider.snapshot(), options);
  }

  /** As the variables and Codex's `environments.toml` say. */
  static fromEnv(
    { env = process.env, codexHome, ...options }: ManagerOptions & { env?: Variables; codexHome?: string } =
      {},
  ): Promise<EnvironmentManager> {
    return EnvironmentManager.from(new DefaultProvider(env, codexHome), options);
  }

  /** null when there is none: then nothing that needs a place should be offered. */
  get defaultId(): string | null {
    return this.#default;
  }

  get default(): Environment | null {
    return this.#default === null ? null : this.get(this.#default);
  }

  /** The default first, then the others; none where the default is disabled. */
  defaultIds(): string[] {
    const first = this.#default;
    return first === null ? [] : [first, ...this.ids().filter((id) => id !== first)];
  }

  /** In the order they were configured, this machine first. */
  ids(): string[] {
    return [...(this.#local === null ? [] : [LOCAL_ENVIRONMENT_ID]), ...this.#remotes.keys()];
  }

  get(id: string): Environment | null {
    if (id === LOCAL_ENVIRONMENT_ID) return this.#local;
    return this.#remotes.get(id)?.environment ?? null;
  }

  /** This machine where it is included, also when the default is disabled. */
  get local(): Environment | null {
    return this.#local;
  }

  /** null for an id that nobody has. Starts no connection. */
  status(id: string): Promise<EnvironmentStatus | null> {
    return this.get(id)?.status() ?? Promise.resolve(null);
  }

  /**
   * Adds an environment, or puts it in the place of the one with that id; the default stays what it is. What is
   * being connected under that id is given up; handles already taken keep working.
   */
  upsert(id: string, spec: EnvironmentSpec): Environment {
    refuseBadId(id);
    const url = spec.kind === "url" ? spec.url.trim() : null;
    if (url === "") throw refused("remote environment requires an exec-server url");
    if (url?.toLowerCase() === "none") {
      throw refused("remote environment cannot use disabled exec-server url");
    }
    const entry = this.#entry(id, spec);
    this.#replace(id, entry);
    this.#connectEarly(id, spec);
    return entry.environment;
  }

  /** An environment whose machine is still to come; it connects once the registration is complete. */
  defer(id: string, spec: EnvironmentSpec): DeferredRegistration {
    refuseBadId(id);
    const registration = new DeferredRegistration(id, this.#connect(spec));
    this.#replace(id, { environment: registration.environment, registration });
    return registration;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#remotes.values()].map(({ environment }) => environment);
    const local = this.#local === null ? [] : [this.#local];
    await Promise.all([...all, ...this.#replaced, ...local].map((each) => each[Symbol.asyncDispose]()));
    this.#replaced.clear();
  }

  #entry(id: string, spec: EnvironmentSpec): Entry {
    return { environment: remoteEnvironment(id, spec, this.#connect(spec)), registration: null };
  }

  #replace(id: string, entry: Entry): void {
    const old = this.#remotes.get(id);
    this.#remotes.set(id, entry);
    if (old === undefined) return;
    old.registration?.replaced();
    old.environment.abandonStartup();
    this.#replaced.add(old.environment);
  }

  /** A program is not started before somebody needs it. */
  #connectEarly(id: string, spec: EnvironmentSpec): void {
    if (spec.kind === "url") this.#remotes.get(id)?.environment.connectInBackground();
  }
}

function refuseBadId(id: string): void {
  if (id === "") throw refused("environment id cannot be empty");
  if (id === LOCAL_ENVIRONMENT_ID) throw refused("environment id `local` is reserved for EnvironmentManager");
}

function refused(message: string): EnvironmentError {
  return new EnvironmentError("protocol", message);
}

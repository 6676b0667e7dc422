import { EnvironmentError } from "./environment_error.ts";
import type { Connect } from "./far_client.ts";
import { RemoteEnvironment } from "./remote_environment.ts";

/** Codex takes no more. */
export const MAX_SELECTED_CAPABILITY_ROOTS = 256;

/** A directory there from which an agent may learn skills. */
export interface SelectedCapabilityRoot {
  readonly id: string;
  readonly environmentId: string;
  readonly path: string;
}

/** What is known once the machine exists. */
export interface ReadyInfo {
  readonly selectedCapabilityRoots: readonly SelectedCapabilityRoot[];
}

/** An environment that was named before its machine exists. It connects only once its registration is complete. */
export class DeferredEnvironment extends RemoteEnvironment {
  readonly #ready: Promise<ReadyInfo>;

  constructor(id: string, connect: Connect, ready: Promise<ReadyInfo>) {
    super({
      id,
      failures: "retried",
      connect: async (givenUp) => {
        await ready;
        givenUp.throwIfAborted();
        return await connect(givenUp);
      },
    });
    this.#ready = ready;
  }

  /** Resolves when the registration is complete; rejects when nothing will come of it. */
  ready(): Promise<ReadyInfo> {
    return this.#ready;
  }
}

/**
 * The other end of a deferred environment: whoever makes the machine says that it is there. It ends in one of three
 * ways, once: complete, refused, or disposed.
 */
export class DeferredRegistration implements Disposable {
  readonly environment: DeferredEnvironment;
  readonly #gate = Promise.withResolvers<ReadyInfo>();
  #active = true;
  #replaced = false;

  constructor(id: string, connect: Connect) {
    this.#gate.promise.catch(() => {}); // told to those who use the environment, if anybody does
    this.environment = new DeferredEnvironment(id, connect, this.#gate.promise);
  }

  /** The machine exists: it is connected to in the background. Throws an EnvironmentError for wrong roots. */
  complete(info: ReadyInfo = { selectedCapabilityRoots: [] }): void {
    this.#deactivate();
    const wrong = wrongRoots(this.environment.id, info.selectedCapabilityRoots);
    if (wrong === null) this.#gate.resolve(info);
    else this.#gate.reject(wrong);
    this.#settle();
    if (wrong !== null) throw wrong;
  }

  /** The machine will never exist. */
  refuse(message: string): void {
    this.#deactivate();
    this.#gate.reject(unavailable(message));
    this.#settle();
  }

  [Symbol.dispose](): void {
    if (this.#active) this.refuse("environment registration ended before completion");
  }

  /** Somebody else has its id now: what comes of it concerns only those who hold it already. */
  replaced(): void {
    this.#replaced = true;
  }

  #deactivate(): void {
    if (!this.#active) {
      throw new EnvironmentError("protocol", "deferred environment registration is inactive");
    }
    this.#active = false;
  }

  #settle(): void {
    if (!this.#replaced) this.environment.connectInBackground();
  }
}

function wrongRoots(id: string, roots: readonly SelectedCapabilityRoot[]): EnvironmentError | null {
  if (roots.length > MAX_SELECTED_CAPABILITY_ROOTS) {
    return unavailable(`at most ${MAX_SELECTED_CAPABILITY_ROOTS} selected capability roots are allowed`);
  }
  const ids = new Set(roots.map((root) => root.id));
  const fine = ids.size === roots.length &&
    roots.every((root) => root.id.trim() !== "" && root.environmentId === id);
  if (fine) return null;
  return new EnvironmentError(
    "unavailable",
    `selected capability roots must have unique non-empty IDs and belong to environment \`${id}\``,
  );
}

function unavailable(message: string): EnvironmentError {
  return new EnvironmentError("unavailable", `environment unavailable: ${message}`);
}

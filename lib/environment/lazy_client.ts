import type { ConnectionState, EnvironmentStatus } from "./environment.ts";
import { EnvironmentError, messageOf } from "./environment_error.ts";
import type { Connect, FarClient, LinkState } from "./far_client.ts";

/** How it stands with the way to a server. `failed` holds what the last attempt came to. */
type Link =
  | { state: "unstarted" }
  | {
    state: "connecting";
    attempt: Promise<FarClient>;
    giveUp: AbortController;
    before: EnvironmentError | null;
  }
  | { state: "open"; client: FarClient }
  | { state: "failed"; error: EnvironmentError }
  | { state: "ended" };

const RECOVERING = "exec-server environment is recovering";

/**
 * A client that connects when it is first needed. There is one attempt at a time, shared by all who need it, and its
 * failure reaches all who shared it; whoever comes later tries again, except where a failure is final. What is lost
 * after a success is repaired by the client itself; only when that has given up is a new one made.
 */
export class LazyClient implements AsyncDisposable {
  #link: Link = { state: "unstarted" };
  #told: ConnectionState = "disconnected";
  readonly #states = new Set<(state: ConnectionState) => void>();
  readonly #links = new Set<(state: LinkState) => void>();

  constructor(private readonly connect: Connect, private readonly failures: "final" | "retried") {}

  /** The client, connected or repairing itself. Rejects with an EnvironmentError. */
  use(): Promise<FarClient> {
    const link = this.#link;
    if (link.state === "connecting") return link.attempt;
    if (link.state === "open" && link.client.state.state !== "failed") return Promise.resolve(link.client);
    if (link.state === "ended") return Promise.reject(ended());
    const failure = this.#failure();
    if (failure !== null && this.failures === "final") return Promise.reject(failure);
    return this.#begin(failure);
  }

  /** The client if it is connected at this moment. Throws an EnvironmentError otherwise; never connects. */
  current(): FarClient {
    const link = this.#link;
    if (link.state === "ended") throw ended();
    const failure = this.#failure();
    if (failure !== null) throw failure;
    if (link.state !== "open") {
      throw new EnvironmentError("disconnected", "exec-server environment is not ready");
    }
    if (link.client.state.state === "recovering") throw new EnvironmentError("disconnected", RECOVERING);
    return link.client;
  }

  /** Connects without anybody waiting. */
  connectInBackground(): void {
    this.use().catch(() => {}); // whoever uses it learns of it; the status tells it too
  }

  get startupFinished(): boolean {
    const link = this.#link;
    return link.state === "connecting" ? link.before !== null : link.state !== "unstarted";
  }

  async status(): Promise<EnvironmentStatus> {
    const link = this.#link;
    if (link.state === "ended") return { kind: "disconnected", error: ended().message };
    if (link.state === "connecting" && link.before !== null) {
      return { kind: "disconnected", error: link.before.message };
    }
    const failure = this.#failure();
    if (failure !== null) return { kind: "disconnected", error: failure.message };
    if (link.state !== "open") return { kind: "pending" };
    if (link.client.state.state === "recovering") return { kind: "disconnected", error: RECOVERING };
    try {
      await link.client.status();
      return { kind: "ready" };
    } catch (error) {
      return { kind: "disconnected", error: messageOf(error) };
    }
  }

  onConnectionState(listener: (state: ConnectionState) => void): () => void {
    this.#states.add(listener);
    return () => this.#states.delete(listener);
  }

  onLinkState(listener: (state: LinkState) => void): () => void {
    this.#links.add(listener);
    return () => this.#links.delete(listener);
  }

  /** Gives up an attempt under way; those who wait for it are told why. What is open stays open. */
  abandonStartup(reason: string): void {
    if (this.#link.state === "connecting") this.#link.giveUp.abort(new Error(reason));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const link = this.#link;
    if (link.state === "ended") return;
    this.#link = { state: "ended" };
    this.#tell("disconnected");
    if (link.state === "open") await link.client[Symbol.asyncDispose]();
    if (link.state !== "connecting") return;
    link.giveUp.abort(new Error("the environment was closed"));
    await link.attempt.catch(() => {});
  }

  /** Why the last attempt, or the client it led to, came to nothing. */
  #failure(): EnvironmentError | null {
    const link = this.#link;
    if (link.state === "failed") return link.error;
    if (link.state !== "open" || link.client.state.state !== "failed") return null;
    return new EnvironmentError("disconnected", link.client.state.message);
  }

  #begin(before: EnvironmentError | null): Promise<FarClient> {
    const old = this.#link.state === "open" ? this.#link.client : null;
    const giveUp = new AbortController();
    // After this turn, so that the state is told before anything can come of it.
    const attempt = Promise.resolve().then(() => this.#open(giveUp.signal, old));
    this.#link = { state: "connecting", attempt, giveUp, before };
    return attempt;
  }

  async #open(givenUp: AbortSignal, old: FarClient | null): Promise<FarClient> {
    try {
      await old?.[Symbol.asyncDispose]();
      const client = await unlessGivenUp(this.connect(givenUp), givenUp);
      this.#link = { state: "open", client };
      client.onState((state) => this.#heard(client, state));
      this.#tell(client.state.state === "connected" ? "connected" : "disconnected");
      return client;
    } catch (cause) {
      const error = cause instanceof EnvironmentError
        ? cause
        : new EnvironmentError("attempt", messageOf(cause), { cause });
      if (this.#link.state !== "ended") this.#link = { state: "failed", error };
      throw error;
    }
  }

  #heard(client: FarClient, state: LinkState): void {
    // A client that was given up for a newer one has nothing more to say.
    if (this.#link.state !== "open" || this.#link.client !== client) return;
    for (const listener of this.#links) listener(state);
    this.#tell(state.state === "connected" ? "connected" : "disconnected");
  }

  #tell(state: ConnectionState): void {
    if (state === this.#told) return;
    this.#told = state;
    for (const listener of this.#states) listener(state);
  }
}

/** Settles as the attempt does, or rejects once it is given up: then what still comes of it is closed at once. */
async function unlessGivenUp(attempt: Promise<FarClient>, givenUp: AbortSignal): Promise<FarClient> {
  const { promise: stop, reject } = Promise.withResolvers<never>();
  const leave = () => reject(givenUp.reason);
  givenUp.addEventListener("abort", leave);
  if (givenUp.aborted) leave();
  try {
    const client = await Promise.race([attempt, stop]);
    givenUp.throwIfAborted(); // both happened in one turn
    return client;
  } catch (error) {
    if (givenUp.aborted) attempt.then((late) => late[Symbol.asyncDispose](), () => {});
    throw error;
  } finally {
    givenUp.removeEventListener("abort", leave);
  }
}

function ended(): EnvironmentError {
  return new EnvironmentError("disconnected", "exec-server environment is closed");
}

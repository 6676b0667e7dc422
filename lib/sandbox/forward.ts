import { closeSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { ForwardConnection } from "./forward_connection.ts";
import { Handover } from "./passed_fds.ts";
import { SandboxStartError } from "./status.ts";
import { UnenforceableError } from "./unenforceable.ts";

/** Of one command. Each is two descriptors of the server's. Who comes when there are so many is turned away. */
const MAX_CONNECTIONS = 256;

/** So long a service of the host has to take what a command sent that has ended meanwhile. */
const LINGER_MS = 10_000;

/**
 * Ports of a sandbox's loopback that lead to the same ports of the host's. The sandbox listens, by sockets that it has
 * given to us, and has no other way out.
 */
export class Outlets {
  readonly #servers: Server[] = [];
  readonly #connections = new Set<ForwardConnection>();
  #state: "waiting" | "open" | "ended" = "waiting";

  private constructor(readonly ports: readonly number[], private readonly handover: Handover) {}

  static make(ports: readonly number[]): Outlets {
    const handover = Handover.make();
    if (handover === null) throw new UnenforceableError("too many open files");
    return new Outlets(ports, handover);
  }

  /** For the helper. */
  get childEnd(): number {
    return this.handover.childEnd;
  }

  /** To be called once the helper has its end. */
  closeChildEnd(): void {
    this.handover.closeChildEnd();
  }

  /** The helper has said that it listens. Resolves when it was told to go on. */
  async open(): Promise<void> {
    if (this.#state !== "waiting") return;
    this.#state = "open";
    const fds = this.handover.take(this.ports.length);
    if (fds === null) throw new SandboxStartError("setup", "EMFILE", "take the listeners over");
    await Promise.all(this.ports.map((port, index) => this.#serve(fds[index]!, port)));
    this.handover.confirm();
    this.handover.close();
  }

  /** The command has ended, or never came to be, and nobody can connect any more. May be called more than once. */
  end(): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.handover.close();
    // What was sent with the last breath may not have been accepted yet: the loop looks at everything once more.
    setImmediate(() => setImmediate(() => this.#closeServers()));
    for (const connection of this.#connections) connection.finish();
  }

  async #serve(fd: number, port: number): Promise<void> {
    const server = createServer(
      { allowHalfOpen: true, noDelay: true },
      (socket) => this.#accept(socket, port),
    );
    const listening = Promise.withResolvers<void>();
    // Later ones are of connections that could not be taken: who made them sees it.
    server.on("error", listening.reject);
    try {
      server.listen({ fd }, listening.resolve);
      await listening.promise;
    } catch {
      closeSync(fd);
      throw new SandboxStartError("setup", "EMFILE", `take port ${port} over`);
    }
    this.#servers.push(server);
    if (this.#state === "ended") this.#closeServers();
  }

  #accept(inside: Socket, port: number): void {
    if (this.#connections.size >= MAX_CONNECTIONS) {
      inside.resetAndDestroy();
      return;
    }
    const connection = new ForwardConnection(inside, port, () => this.#connections.delete(connection));
    this.#connections.add(connection);
    if (this.#state === "ended") connection.finish();
  }

  #closeServers(): void {
    for (const server of this.#servers.splice(0)) server.close();
    if (this.#connections.size === 0) return;
    setTimeout(() => {
      for (const connection of this.#connections) connection.destroy();
    }, LINGER_MS).unref();
  }
}

import type { Clock } from "../base/clock.ts";
import { EXECUTING_REQUESTS } from "../rpc/dispatcher.ts";
import type { Spools } from "../process/spool.ts";
import type { Transport } from "../rpc/transport.ts";
import { Connection } from "./connection.ts";
import { routes } from "./routes.ts";
import { closeConfinedFiles } from "./sandboxed_files.ts";
import { DETACH_TTL_MS, SessionRegistry } from "./session_registry.ts";

export interface HostOptions {
  readonly clock: Clock;
  /** How long a session outlives its connection. */
  readonly detachTtlMs?: number;
  /** Requests of one connection that are worked on at the same time; narrows the usual number, never widens it. */
  readonly concurrentRequests?: number;
  /** Where output goes that memory does not hold; without, it is gone. Theirs ends with ours. */
  readonly spools?: (Spools & { close(): void }) | null;
}

/** The sessions of a server and the connections that speak to them, whatever carries them. */
export class SessionsHost {
  readonly #sessions: SessionRegistry;
  readonly #connections = new Set<Connection>();

  constructor(private readonly options: HostOptions) {
    this.#sessions = new SessionRegistry(options.clock, options.detachTtlMs ?? DETACH_TTL_MS, options.spools);
  }

  /** Serves a peer until its transport ends. `principal` is who it is, as far as it had to show that. */
  serve(transport: Transport, carrier: "websocket" | "stdio", principal = ""): Connection {
    const connection = new Connection(transport, {
      sessions: this.#sessions,
      routes,
      clock: this.options.clock,
      concurrentRequests: Math.min(this.options.concurrentRequests ?? EXECUTING_REQUESTS, EXECUTING_REQUESTS),
      messageName: carrier === "websocket" ? "websocket JSON-RPC message" : "JSON-RPC message",
      endsSession: carrier === "stdio",
      principal,
      onEnd: (ended) => this.#connections.delete(ended),
    });
    this.#connections.add(connection);
    return connection;
  }

  /** Ends every process, then every connection. */
  close(): void {
    this.#sessions.endAll();
    for (const connection of [...this.#connections]) connection.end();
    closeConfinedFiles();
    this.options.spools?.close();
  }
}

import type { Clock } from "../base/clock.ts";
import type { Spools } from "../process/spool.ts";
import { ALREADY_ATTACHED, INVALID_REQUEST, WireError } from "../wire/wire_error.ts";
import { KeptProcesses, type Owner } from "./kept_processes.ts";
import { type Attached, Session } from "./session.ts";

/** Longer than a client tries to come back (45 s to attach, 50 s in all), shorter than anyone misses the memory. */
export const DETACH_TTL_MS = 80_000;

/** Where nobody has to say who he is, all are the same. */
export const ANYBODY: Owner = { principal: "", token: null };

/** The sessions of a server, by their secret ids. */
export class SessionRegistry {
  readonly #sessions = new Map<string, Session>();
  /** What outlives them. */
  readonly #kept: KeptProcesses;

  constructor(
    private readonly clock: Clock,
    private readonly detachTtlMs: number,
    private readonly spools: Spools | null = null,
  ) {
    this.#kept = new KeptProcesses(clock, spools);
  }

  create(connection: Attached, owner: Owner = ANYBODY): Session {
    const session = new Session(
      crypto.randomUUID(),
      connection,
      this.clock,
      this.detachTtlMs,
      ({ id }) => this.#sessions.delete(id),
      this.#kept,
      owner,
      this.spools,
    );
    this.#sessions.set(session.id, session);
    return session;
  }

  /** Throws a WireError when nobody may take it up, now or ever. */
  resume(id: string, connection: Attached): Session {
    const session = this.#sessions.get(id);
    const outcome = session?.resume(connection) ?? "gone";
    if (outcome === "busy") {
      throw new WireError(ALREADY_ATTACHED, `session ${id} is already attached to another connection`);
    }
    if (session === undefined || outcome === "gone") {
      throw new WireError(INVALID_REQUEST, `unknown session id ${id}`);
    }
    return session;
  }

  /** Ends every session and so every process. */
  endAll(): void {
    for (const session of [...this.#sessions.values()]) session.end();
    this.#kept.endAll();
  }
}

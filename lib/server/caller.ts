import type { Clock } from "../base/clock.ts";
import { Permits } from "../base/permits.ts";
import type { Outbox } from "../rpc/outbox.ts";
import type { Agreed } from "../wire/extensions.ts";
import { ConnectionFiles } from "./connection_files.ts";
import { ConnectionHttp } from "./connection_http.ts";
import type { Session } from "./session.ts";

/**
 * Whom a connection's requests come from, and what they have going there beside the session's processes. That is made
 * when it is first needed, for most connections only run commands, and ends with the connection.
 */
export class Caller {
  #files: ConnectionFiles | null = null;
  #http: ConnectionHttp | null = null;
  #discoveries: Permits | null = null;
  #pages: Permits | null = null;

  constructor(
    readonly session: Session,
    /** What its peer and we can beyond Codex. */
    readonly agreed: Agreed,
    private readonly outbox: Outbox,
    private readonly clock: Clock,
    /** Aborted when the connection ends: nobody waits for the answer any more. */
    readonly gone: AbortSignal,
  ) {}

  /** Its open files, and the order of its calls on files. */
  get files(): ConnectionFiles {
    return (this.#files ??= new ConnectionFiles(this.outbox));
  }

  /** Its requests to web servers. */
  get http(): ConnectionHttp {
    return (this.#http ??= new ConnectionHttp(this.outbox, this.clock, this.gone));
  }

  /** One page of a log that comes from the disk at a time, until it is handed over: pages are large. */
  get pages(): Permits {
    return (this.#pages ??= new Permits(1));
  }

  /** One call that looks for capabilities at a time. */
  get discoveries(): Permits {
    return (this.#discoveries ??= new Permits(1));
  }

  /** After `gone`: what is open is closed. */
  end(): void {
    this.#files?.end();
  }
}

import type { Clock } from "../base/clock.ts";
import { Permits } from "../base/permits.ts";
import type { Outbox } from "../rpc/outbox.ts";
import type { Agreed } from "../wire/extensions.ts";
import { ConnectionFiles } from "./connection_files.ts";
import { ConnectionHttp } from "./connection_http.ts";
import { DiskPages } from "./disk_pages.ts";
import type { Session } from "./session.ts";

/**
 * Whom a connection's requests come from, and what they have going there beside the session's processes. That is made
 * when it is first needed, for most connections only run commands, and ends with the connection.
 */
export class Caller {
  #files: ConnectionFiles | null = null;
  #http: ConnectionHttp | null = null;
  #discoveries: Permits | null = null;
  #pages: DiskPages | null = null;
  #searches: Permits | null = null;

  constructor(
    readonly session: Session,
    /** What its peer and we can beyond Codex. */
    readonly agreed: Agreed,
    private readonly outbox: Outbox,
    readonly clock: Clock,
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

  /** Pages of logs that come from the disk. */
  get pages(): DiskPages {
    return (this.#pages ??= new DiskPages(this.outbox, this.gone));
  }

  /** One search through a log at a time. */
  get searches(): Permits {
    return (this.#searches ??= new Permits(1));
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

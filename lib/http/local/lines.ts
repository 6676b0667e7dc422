import type { Clock } from "../../base/clock.ts";
import type { Outgoing } from "./check_request.ts";
import { dial, type Line } from "./dial.ts";
import type { Ending } from "./ending.ts";
import { IdleLines } from "./idle_lines.ts";
import { idleTime } from "./idle_time.ts";
import { requestBytes } from "./request_head.ts";
import { readHead, type ResponseHead } from "./response_head.ts";
import type { Upstream } from "./upstream.ts";

/** Methods that do the same when they are done twice (RFC 9110, 9.2.2). */
const REPEATABLE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

/** A request that was sent, and the beginning of what came back. */
export interface Answered {
  readonly upstream: Upstream;
  readonly head: ResponseHead;
  /** The answer is whole and nothing came behind it: from now on the connection may be another request's. */
  keep(): void;
}

/** The connections to web servers: dialled when they are needed, and used again while that is safe. */
export class Lines {
  readonly #idle: IdleLines;

  constructor(clock: Clock) {
    this.#idle = new IdleLines(clock);
  }

  /** Sends it and reads the head of the response. The connection is the ending's from then on. */
  async ask(request: Outgoing, proxy: URL | null, ending: Ending): Promise<Answered> {
    const place = `${proxy?.href ?? "directly"} ${request.url.origin}`;
    const kept = this.#idle.take(place);
    if (kept !== null) {
      try {
        return await this.#askOn(kept, place, request, ending);
      } catch (error) {
        // The server was hanging up, so that nobody is to blame. Whether it read the request before is not known.
        const mayRepeat = kept.upstream.isSilent && REPEATABLE.has(request.method);
        if (ending.signal.aborted || !mayRepeat) throw error;
      }
    }
    return await this.#askOn(await dial(request.url, proxy, ending.signal), place, request, ending);
  }

  /** Ends those that wait for another request, and keeps none from now on. */
  close(): void {
    this.#idle.close();
  }

  async #askOn(line: Line, place: string, request: Outgoing, ending: Ending): Promise<Answered> {
    const { upstream, target, proxyHeaders } = line;
    ending.ends(upstream);
    upstream.write(requestBytes(request, target, proxyHeaders));
    const head = await readHead(upstream);
    const keep = () => {
      ending.release();
      this.#idle.keep(place, line, idleTime(request, head));
    };
    return { upstream, head, keep };
  }
}

import type { Clock } from "../base/clock.ts";
import { Permits } from "../base/permits.ts";
import type { HttpBody, HttpClient, HttpRequest, HttpResponse } from "../http/http_client.ts";
import { HttpError } from "../http/http_error.ts";
import type { Outbox } from "../rpc/outbox.ts";
import { MAX_MESSAGE_BYTES } from "../wire/message_limits.ts";
import { INVALID_PARAMS, INVALID_REQUEST, WireError } from "../wire/wire_error.ts";
import { BodyPublisher } from "./body_publisher.ts";

/** Bodies of one connection that are on their way at the same time. Each holds up to about one MiB. */
const MAX_STREAMS = 64;
/** Above this, a body that is answered as a whole waits for one of few places: they are all held in memory. */
const LARGE_BODY_BYTES = 1024 * 1024;
const LARGE_BODIES = 2;
/** What fits into one message as base64, with room for the headers. */
const MAX_WHOLE_BODY_BYTES = MAX_MESSAGE_BYTES / 4 * 3 - 1024 * 1024;

/** A body that is there as a whole, until its answer is written. */
export interface WholeBody {
  readonly bytes: Uint8Array;
  /** It is not held any more. */
  readonly release: () => void;
}

/** The requests of one connection. None outlives it, whether its session is resumed or not. */
export class ConnectionHttp {
  #client: Promise<HttpClient> | null = null;
  readonly #active = new Set<string>();
  readonly #large = new Permits(LARGE_BODIES);

  constructor(
    private readonly outbox: Outbox,
    private readonly clock: Clock,
    private readonly gone: AbortSignal,
  ) {}

  async send(request: HttpRequest): Promise<HttpResponse> {
    this.#client ??= loadClient(this.clock, this.gone);
    return await (await this.#client).send(request, this.gone);
  }

  /** Sends a request whose id is taken until `publish` has sent the last of the body, or it fails before. */
  async sendStreamed(requestId: string, request: HttpRequest): Promise<HttpResponse> {
    if (this.#active.has(requestId)) {
      const message = `http/request streamResponse requestId \`${requestId}\` is already active`;
      throw new WireError(INVALID_PARAMS, message);
    }
    if (this.#active.size >= MAX_STREAMS) {
      const message = `http/request allows at most ${MAX_STREAMS} streamed responses at the same time`;
      throw new WireError(INVALID_REQUEST, message);
    }
    this.#active.add(requestId);
    try {
      return await this.send(request);
    } catch (error) {
      this.#active.delete(requestId);
      throw error;
    }
  }

  /** Sends the body piece by piece. It never begins at once, so the message that is being written comes before. */
  publish(requestId: string, body: HttpBody): void {
    const publisher = new BodyPublisher(requestId, body, this.outbox, this.clock, this.gone);
    void publisher.publish(() => this.#active.delete(requestId));
  }

  /** The whole body. Rejects with an HttpError. */
  async whole({ body }: HttpResponse): Promise<WholeBody> {
    const parts: Uint8Array[] = [];
    let size = 0;
    let release: (() => void) | null = null;
    try {
      for (let part; (part = await body.take(LARGE_BODY_BYTES)) !== null;) {
        parts.push(part);
        size += part.length;
        if (size > MAX_WHOLE_BODY_BYTES) throw tooLarge();
        if (size > LARGE_BODY_BYTES) release ??= await this.#large.take(this.gone);
      }
      return { bytes: parts.length === 1 ? parts[0]! : Buffer.concat(parts), release: release ?? (() => {}) };
    } catch (error) {
      body.drop();
      release?.();
      throw error;
    }
  }
}

function tooLarge(): HttpError {
  const limit = `larger than ${MAX_WHOLE_BODY_BYTES} bytes`;
  return new HttpError("body", `the body is ${limit} and can only be had with streamResponse`);
}

/** Loaded by the first request: what speaks TLS is a good part of a server's start. */
async function loadClient(clock: Clock, gone: AbortSignal): Promise<HttpClient> {
  const { LocalHttpClient } = await import("../http/local/local_http_client.ts");
  const client = new LocalHttpClient(clock);
  // Its idle connections to web servers go with the one to its peer, and are never another peer's.
  gone.addEventListener("abort", () => client.close(), { once: true });
  return client;
}

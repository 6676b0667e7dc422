import type { HttpClient, HttpRequest, HttpResponse, RequestHeader } from "../http/http_client.ts";
import { HttpError } from "../http/http_error.ts";
import { encodeBase64 } from "../wire/base64.ts";
import type { EnvironmentInfo } from "../wire/environment_messages.ts";
import { readBodyDelta, readHttpRequestAnswer } from "../wire/http_results.ts";
import { MAX_MESSAGE_BYTES } from "../wire/message_limits.ts";
import { httpErrorOf } from "./http_words.ts";
import type { Link } from "./link.ts";
import { RemoteBody } from "./remote_body.ts";
import type { Uplink } from "./uplink.ts";

/** What fits into one message as base64, with room for the headers. */
const MAX_REQUEST_BODY_BYTES = MAX_MESSAGE_BYTES / 4 * 3 - 1024 * 1024;

/**
 * Makes requests from a server. Each is sent once, and lives no longer than the connection that it was sent on: when
 * that is lost, it and its body fail at once. One that is given up or dropped is not heard of any more, but the server
 * goes on with it: the protocol has no word to end it.
 */
export class RemoteHttpClient implements HttpClient {
  /** By request: what is to come, also before its response. */
  readonly #bodies = new Map<string, { readonly link: Link; readonly body: RemoteBody }>();
  #sent = 0;

  constructor(private readonly uplink: Uplink, private readonly info: EnvironmentInfo) {
    uplink.onNotice("http/request/bodyDelta", (params) => {
      const delta = readBodyDelta(params);
      this.#bodies.get(delta.requestId)?.body.arrived(delta);
    });
    uplink.onState((change) => {
      if (change.state === "connected") return;
      const why = change.state === "failed" ? change.message : change.cause;
      for (const { link, body } of [...this.#bodies.values()]) {
        if (change.state === "failed" || link.isOver) body.fail(why);
      }
    });
    uplink.holdWhile(() => {
      for (const { body } of this.#bodies.values()) if (body.isBehind) return true;
      return false;
    });
  }

  async send(request: HttpRequest, givenUp: AbortSignal): Promise<HttpResponse> {
    const params = this.#paramsOf(request);
    if (givenUp.aborted) throw new HttpError("failed", GIVEN_UP);
    const leaving = Promise.withResolvers<never>();
    const leave = () => leaving.reject(new HttpError("failed", GIVEN_UP));
    givenUp.addEventListener("abort", leave);
    try {
      const { link } = this.uplink.session ??
        await Promise.race([this.uplink.whenConnected(), leaving.promise]);
      return await Promise.race([this.#exchange(link, params, givenUp), leaving.promise]);
    } catch (error) {
      throw httpErrorOf(error);
    } finally {
      givenUp.removeEventListener("abort", leave);
    }
  }

  async #exchange(link: Link, params: object, givenUp: AbortSignal): Promise<HttpResponse> {
    const requestId = `h${++this.#sent}`;
    const leave = () => body.fail(GIVEN_UP);
    // Known before it is asked for: the first piece may come right behind the answer.
    const body = new RemoteBody(() => this.uplink.adjustPace(), () => {
      this.#bodies.delete(requestId);
      givenUp.removeEventListener("abort", leave);
      this.uplink.adjustPace();
    });
    this.#bodies.set(requestId, { link, body });
    givenUp.addEventListener("abort", leave);
    try {
      const answer = await link.call("http/request", { ...params, requestId, streamResponse: true });
      const { status, headers } = readHttpRequestAnswer(answer);
      return { status, headers, body };
    } catch (error) {
      body.fail("there is no response");
      throw error;
    }
  }

  #paramsOf({ method, url, headers, body, timeoutMs, redirects }: HttpRequest): object {
    if (body.length > MAX_REQUEST_BODY_BYTES) {
      throw new HttpError("invalid", `body is larger than ${MAX_REQUEST_BODY_BYTES} bytes`);
    }
    return {
      method,
      url,
      headers: headers.map((header) => this.#headerOf(header)),
      ...(body.length === 0 ? {} : { bodyBase64: encodeBase64(body) }),
      timeoutMs,
      redirectPolicy: redirects,
    };
  }

  #headerOf({ name, value, valueEnvVar }: RequestHeader): object {
    if (valueEnvVar === null) return { name, value };
    // An old server would send the header without what the variable holds.
    if (this.info.capabilities.httpHeaderEnvVars === true) return { name, value, valueEnvVar };
    throw new HttpError("invalid", `header ${name} cannot use variables of this exec-server`);
  }
}

const GIVEN_UP = "given up";

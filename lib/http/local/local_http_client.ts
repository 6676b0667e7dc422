import type { Clock } from "../../base/clock.ts";
import { osErrorCode, osErrorWords } from "../../base/os_error.ts";
import type { HttpClient, HttpRequest, HttpResponse } from "../http_client.ts";
import { HttpError } from "../http_error.ts";
import { type Framing, framingOf } from "./body_framing.ts";
import { checkRequest, type Outgoing } from "./check_request.ts";
import { chooseProxy } from "./choose_proxy.ts";
import { Ending } from "./ending.ts";
import type { Environment } from "./header_variable.ts";
import { Lines } from "./lines.ts";
import { OpenBody } from "./open_body.ts";
import { urlWithoutUser } from "./read_url.ts";
import { MAX_REDIRECTS, nextRequest } from "./redirects.ts";
import type { Upstream } from "./upstream.ts";

/** Only what it takes to send: not a header is added, merged or reordered that the caller did not write. */
const VISIBLE = /^[\t\x20-\x7e]*$/;

/**
 * Makes requests from this machine, in HTTP/1.1. The runtime's own clients cannot be used: `fetch` merges repeated
 * headers, reorders them and adds its own, and both it and `node:http` unpack or read ahead as they please.
 */
export class LocalHttpClient implements HttpClient {
  readonly #lines: Lines;

  constructor(private readonly clock: Clock, private readonly environment: Environment = process.env) {
    this.#lines = new Lines(clock);
  }

  async send(request: HttpRequest, givenUp: AbortSignal): Promise<HttpResponse> {
    let next = checkRequest(request, this.environment);
    const ending = new Ending(this.clock, request.timeoutMs, givenUp);
    try {
      for (let redirects = 0;; redirects++) {
        const { response, onward } = await this.#exchange(next, request.redirects === "follow", ending);
        if (onward === null) return response;
        if (redirects === MAX_REDIRECTS) throw new HttpError("failed", "too many redirects");
        next = onward;
      }
    } catch (error) {
      ending.settle();
      throw error;
    }
  }

  /** Ends the connections that are kept for later requests, and keeps none from now on. */
  close(): void {
    this.#lines.close();
  }

  /** One request and the head of its response. Without a way onward, the response ends the ending. */
  async #exchange(request: Outgoing, follows: boolean, ending: Ending) {
    const proxy = chooseProxy(request.url, this.environment);
    try {
      const { upstream, head, keep } = await this.#lines.ask(request, proxy, ending);
      const framing = framingOf(request.method, head);
      const body = new OpenBody(upstream, framing, (isWhole) => {
        if (isWhole && !framing.isOverrun) keep();
        ending.settle();
      });
      const onward = follows ? nextRequest(request, head) : null;
      if (onward !== null) passOver(upstream, framing) ? keep() : upstream.end(new Error("redirected"));
      const headers = head.headers.filter(({ value }) => VISIBLE.test(value));
      return { response: { status: head.status, headers, body }, onward };
    } catch (error) {
      throw error instanceof HttpError ? error : noResponse(request.url, error);
    }
  }
}

/** Leaves out what has come of a body that nobody wants. Says whether it was all of it, and nothing else. */
function passOver(upstream: Upstream, framing: Framing): boolean {
  framing.decode(upstream.takeNow());
  return framing.isDone && !framing.isOverrun;
}

function noResponse(url: URL, error: unknown): HttpError {
  const place = urlWithoutUser(url);
  place.hash = "";
  const reason = osErrorCode(error) === "ENOTFOUND"
    ? `no host is called ${url.hostname}`
    : osErrorWords(error);
  return new HttpError("failed", `error sending request for url (${place.href}): ${reason}`);
}

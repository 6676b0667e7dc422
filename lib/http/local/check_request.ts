import { HttpError } from "../http_error.ts";
import type { Header, HttpRequest } from "../http_client.ts";
import { readHttpUrl } from "./read_url.ts";
import { type Environment, withVariable } from "./header_variable.ts";

/** Of one request. What servers take is far below. */
const MAX_HEADERS = 1_000;
const MAX_HEADER_BYTES = 1024 * 1024;

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// deno-lint-ignore no-control-regex -- control characters are what must not pass
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/;

/** One request as it may be sent: nothing in it can end a line that it should not end. */
export interface Outgoing {
  readonly method: string;
  readonly url: URL;
  readonly headers: readonly Header[];
  readonly body: Uint8Array;
}

/** Throws HttpError `invalid` with the first thing wrong, in Codex's order and words. */
export function checkRequest(request: HttpRequest, environment: Environment): Outgoing {
  const { method, body } = request;
  if (!TOKEN.test(method)) throw invalid("method is invalid: invalid HTTP method");
  const url = readHttpUrl(request.url);
  if (request.headers.length > MAX_HEADERS) {
    throw invalid(`headers are too many: ${request.headers.length} of at most ${MAX_HEADERS}`);
  }
  const headers: Header[] = [];
  let size = 0;
  for (const { name, value: given, valueEnvVar } of request.headers) {
    if (!TOKEN.test(name)) throw invalid("header name is invalid: invalid HTTP header name");
    const value = valueEnvVar === null ? given : given + withVariable(name, valueEnvVar, environment);
    if (CONTROL.test(value)) {
      throw invalid(`header value is invalid for ${name}: failed to parse header value`);
    }
    size += name.length + Buffer.byteLength(value);
    if (size > MAX_HEADER_BYTES) throw invalid(`headers are too large: at most ${MAX_HEADER_BYTES} bytes`);
    headers.push({ name: name.toLowerCase(), value });
  }
  checkFraming(headers, body);
  return { method, url, headers, body };
}

/**
 * A caller may say itself how the body is framed, but only truly: where a server believes one thing and a proxy
 * on the way another, a body can be made to look like a second request.
 */
function checkFraming(headers: readonly Header[], body: Uint8Array): void {
  const lengths = headers.filter(({ name }) => name === "content-length");
  const codings = headers.filter(({ name }) => name === "transfer-encoding");
  const trueLength = (value: string) => /^\d+$/.test(value) && Number(value) === body.length;
  if (lengths.length > 1 || !lengths.every(({ value }) => trueLength(value.trim()))) {
    throw invalid(`header value is invalid for content-length: the body has ${body.length} bytes`);
  }
  const plainlyChunked = codings.every(({ value }) => value.trim().toLowerCase() === "chunked");
  if (codings.length > 1 || !plainlyChunked || codings.length > 0 && lengths.length > 0) {
    throw invalid("header value is invalid for transfer-encoding: only chunked, alone, can be sent");
  }
}

function invalid(message: string): HttpError {
  return new HttpError("invalid", message);
}

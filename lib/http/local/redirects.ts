import type { Header } from "../http_client.ts";
import { HttpError } from "../http_error.ts";
import type { Outgoing } from "./check_request.ts";
import { isHttp, urlWithoutUser } from "./read_url.ts";
import type { ResponseHead } from "./response_head.ts";

/** As many as Codex follows. */
export const MAX_REDIRECTS = 10;

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** Say who the caller is to the one host that he meant. */
const PRIVATE: ReadonlySet<string> = new Set([
  "authorization",
  "cookie",
  "cookie2",
  "proxy-authorization",
  "www-authenticate",
]);
/** Describe a body that is not sent any more. */
const CONTENT: ReadonlySet<string> = new Set([
  "content-type",
  "content-length",
  "content-encoding",
  "transfer-encoding",
]);

/** The request that a response sends us on to; null where it is the answer itself. Throws HttpError `failed`. */
export function nextRequest(request: Outgoing, { status, headers }: ResponseHead): Outgoing | null {
  if (!REDIRECTS.has(status)) return null;
  const location = headers.find(({ name }) => name === "location")?.value;
  const url = location === undefined || !isAscii(location) ? null : URL.parse(location, request.url.href);
  if (url === null) return null;
  if (!isHttp(url)) {
    const scheme = url.protocol.slice(0, -1);
    throw new HttpError("failed", `redirect target uses unsupported URL scheme: ${scheme}`);
  }
  const method = methodAfter(status, request.method);
  const dropsBody = method !== request.method || status === 303;
  const staysHome = url.origin === request.url.origin;
  const kept = request.headers.filter(({ name }) =>
    !(dropsBody && CONTENT.has(name)) && (staysHome || !PRIVATE.has(name))
  );
  return {
    method,
    url: withUserOf(staysHome ? request.url : null, url),
    headers: withReferer(kept, request.url, url),
    body: dropsBody ? new Uint8Array() : request.body,
  };
}

function methodAfter(status: number, method: string): string {
  if (status === 303) return method === "HEAD" ? method : "GET";
  return (status === 301 || status === 302) && method === "POST" ? "GET" : method;
}

/** A server may not choose whom we introduce ourselves as. */
function withUserOf(from: URL | null, to: URL): URL {
  const url = new URL(to);
  url.username = from?.username ?? "";
  url.password = from?.password ?? "";
  return url;
}

/** The whole address to the same host, only the host to another, and nothing from a secret place to an open one. */
function withReferer(headers: readonly Header[], from: URL, to: URL): Header[] {
  const without = headers.filter(({ name }) => name !== "referer");
  if (from.protocol === "https:" && to.protocol === "http:") return without;
  const page = urlWithoutUser(from);
  page.hash = "";
  return [...without, { name: "referer", value: from.origin === to.origin ? page.href : `${from.origin}/` }];
}

function isAscii(text: string): boolean {
  return /^[\t\x20-\x7e]*$/.test(text);
}

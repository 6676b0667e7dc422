import { type Context, Hono } from "hono";
import type { Authenticator } from "./authenticator.ts";
import { isHostAllowed } from "./host_check.ts";
import { upgradeProblem } from "./upgrade_headers.ts";

export interface HttpAppOptions<Data> {
  /** `null` lets everybody in. */
  auth: Authenticator | null;
  /** Names beside `localhost` and IP addresses that a Host header may have. */
  allowHosts: readonly string[];
  /** What `/version` tells. */
  version(): object | Promise<object>;
  /** Makes a WebSocket of a request that may have one. Says whether it did. */
  upgrade(request: Request, server: Bun.Server<Data>): boolean;
  /** Whether new work is welcome. While it is not, `/readyz` and `/healthz` say so and upgrades are refused. */
  ready(): boolean;
}

/** Hand Bun's server in with each request: `fetch: (request, server) => app.fetch(request, { server })`. */
export type HttpEnv<Data> = { Bindings: { server: Bun.Server<Data> } };

const TEXT = { "content-type": "text/plain; charset=utf-8" };
const READ_ONLY = { allow: "GET,HEAD" };

/**
 * Everything a listener answers over HTTP, in this order: Origin, Host, route, method, upgrade headers, authentication.
 * No route takes a body, so none is ever read.
 */
export function createHttpApp<Data>(options: HttpAppOptions<Data>): Hono<HttpEnv<Data>> {
  const app = new Hono<HttpEnv<Data>>({ getPath: (request) => pathOf(request.url) });

  app.use(async (c, next) => {
    // Only browsers send it, and no page has business here. Empty counts too.
    if (c.req.raw.headers.has("origin")) return c.body(null, 403);
    if (!isHostAllowed(c.req.raw.headers.get("host"), options.allowHosts)) {
      return c.body("host not allowed", 403, TEXT);
    }
    await next();
  });

  const health = (isWell: () => boolean) => (c: Context) =>
    isReading(c) ? c.body(null, isWell() ? 200 : 503) : c.body(null, 405, READ_ONLY);
  app.all("/readyz", health(options.ready));
  app.all("/healthz", health(options.ready));
  app.all("/livez", health(() => true));

  app.all("/version", async (c) => {
    if (!isReading(c)) return c.body(null, 405, READ_ONLY);
    return await refusal(c) ?? c.json(await options.version());
  });

  // all() and not get(): Hono answers HEAD with what get() says, and a HEAD must never open a socket.
  app.all("/", async (c) => {
    const request = c.req.raw;
    if (request.method !== "GET") return c.body("Request method must be `GET`", 405, TEXT);
    const problem = upgradeProblem(request.headers);
    if (problem !== null) return c.body(problem, 400, TEXT);
    const refused = await refusal(c);
    if (refused !== null) return refused;
    if (!options.ready()) return c.body(null, 503);
    // Bun would answer with the first subprotocol offered; this server speaks none.
    request.headers.delete("sec-websocket-protocol");
    if (options.upgrade(request, c.env.server)) return c.body(null);
    return c.body("WebSocket request couldn't be upgraded", 426, TEXT);
  });

  app.notFound((c) => c.body(null, 404));

  async function refusal(c: Context): Promise<Response | null> {
    const problem = await options.auth?.check(c.req.raw.headers.get("authorization")) ?? null;
    return problem === null ? null : c.body(problem, 401, TEXT);
  }

  return app;
}

function isReading(c: Context): boolean {
  return c.req.raw.method === "GET" || c.req.raw.method === "HEAD";
}

/** The path as it was sent: unlike Hono's own, escapes stay escaped, and an HTTP/1.0 request without Host has one too. */
function pathOf(url: string): string {
  return /^(?:https?:\/\/[^/?#]*)?([^?#]*)/.exec(url)?.[1] ?? "";
}

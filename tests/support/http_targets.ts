import { systemClock } from "../../lib/base/clock.ts";
import { dialWebSocket } from "../../lib/client/dial.ts";
import { RemoteClient } from "../../lib/client/remote_client.ts";
import type { HttpClient } from "../../lib/http/http_client.ts";
import { LocalHttpClient } from "../../lib/http/local/local_http_client.ts";
import { SessionsHost } from "../../lib/server/sessions_host.ts";
import { dialInMemory } from "./file_targets.ts";
import { oursTarget } from "./target_ours.ts";

/** A way to make requests from this machine; what it may read from its environment is given. */
export interface HttpTarget {
  readonly name: string;
  /** The protocol has no word to end a request, so that far ones go on when nobody wants them any more. */
  readonly canEnd: boolean;
  make(environment: Record<string, string>): HttpClient;
}

/** Opens it when it is first used. */
function lazily(open: () => Promise<HttpClient>): HttpClient {
  let client: Promise<HttpClient> | null = null;
  return { send: async (request, givenUp) => await (await (client ??= open())).send(request, givenUp) };
}

async function inMemory(opened: AsyncDisposableStack): Promise<HttpClient> {
  const host = new SessionsHost({ clock: systemClock });
  opened.defer(() => host.close());
  const options = { dial: dialInMemory(host), clientName: "tests", reconnects: true };
  return await opened.use(await RemoteClient.connect(options)).http();
}

/** A program of its own where it needs an environment of its own. */
async function overSocket(
  environment: Record<string, string>,
  opened: AsyncDisposableStack,
): Promise<HttpClient> {
  const env = Object.keys(environment).length === 0
    ? undefined
    : { PATH: process.env["PATH"] ?? "", ...environment };
  const server = opened.use(await oursTarget().serve({ env }));
  const options = { dial: dialWebSocket({ url: server.url }), clientName: "tests", reconnects: true };
  return await opened.use(await RemoteClient.connect(options)).http();
}

/** What is opened to make requests is added to the stack; dispose it when all tests are done. */
export function httpTargets(opened: AsyncDisposableStack): readonly HttpTarget[] {
  return [
    {
      name: "local",
      canEnd: true,
      make: (environment) => new LocalHttpClient(systemClock, environment),
    },
    {
      name: "remote, in memory where its environment does not matter",
      canEnd: false,
      make: (environment) =>
        lazily(() =>
          Object.keys(environment).length === 0 ? inMemory(opened) : overSocket(environment, opened)
        ),
    },
    {
      name: "remote over a socket",
      canEnd: false,
      make: (environment) => lazily(() => overSocket(environment, opened)),
    },
  ];
}

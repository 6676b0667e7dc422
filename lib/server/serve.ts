import { type Clock, systemClock } from "../base/clock.ts";
import { osErrorCode, osErrorText } from "../base/os_error.ts";
import { ServerSocket } from "../transport/server_socket.ts";
import { version } from "../version.ts";
import { MAX_MESSAGE_BYTES } from "../wire/message_limits.ts";
import type { Authenticator } from "./authenticator.ts";
import { createHttpApp } from "./http_app.ts";
import { parseListenUrl, webSocketUrl } from "./listen_url.ts";
import type { HostOptions, SessionsHost } from "./sessions_host.ts";

export interface ServeOptions extends Partial<HostOptions> {
  /** `ws://IP:PORT`; port 0 picks a free one. */
  readonly listen: string;
  /** null or absent lets everybody in who reaches the address. */
  readonly auth?: Authenticator | null;
  /** Host headers that are welcome beside IP addresses and `localhost`. */
  readonly allowHosts?: readonly string[];
  readonly clock?: Clock;
  /** Gets the spools ready once we listen; whoever starts us does not wait for the disk. */
  readonly openSpools?: () => Promise<HostOptions["spools"]>;
}

export interface RunningServer {
  /** Where it listens, with the port that was picked. */
  readonly url: string;
  /** Ends every process and every connection, and listens no more. */
  close(): Promise<void>;
}

interface SocketData {
  readonly peer: string;
  readonly principal: string;
  transport: ServerSocket | null;
}

/** Serves over WebSocket until closed. Rejects when it cannot listen there. */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const address = parseListenUrl(options.listen);
  if (address.kind !== "ws") throw new TypeError(`Cannot serve sockets on ${options.listen}`);
  let host: SessionsHost | null = null;
  let closing = false;
  const loaded = loadHost({ ...options, clock: options.clock ?? systemClock }).then((made) => {
    host = made;
    if (closing) made.close(); // what it opened meanwhile
  });
  const app = createHttpApp<SocketData>({
    auth: options.auth ?? null,
    allowHosts: options.allowHosts ?? [],
    version: async () => ({
      name: "exec-server",
      version,
      protocol: "codex exec-server 0.169.0",
      sandbox: await sandboxFacts(),
      trees: (await import("./environment_info.ts")).treeFacts(),
    }),
    ready: () => !closing,
    upgrade: (request, server) => {
      const peer = server.requestIP(request);
      const label = peer === null ? "unknown" : webSocketUrl(peer.address, peer.port).slice("ws://".length);
      const principal = options.auth?.principalOf?.(request.headers.get("authorization")) ?? "";
      return server.upgrade(request, { data: { peer: label, principal, transport: null } });
    },
  });
  const server = listen(
    address,
    (request, bun) => {
      const answer = () => app.fetch(request, { server: bun });
      return host === null ? loaded.then(answer) : answer();
    },
    (transport, principal) => host!.serve(transport, "websocket", principal), // whoever is let in has waited for it
  );
  // A signal handler cannot wait long: what is open is cut, not drained.
  return await Promise.resolve({
    url: webSocketUrl(address.hostname, server.port ?? address.port),
    close: async () => {
      closing = true;
      host?.close();
      await server.stop(true);
    },
  });
}

/** How this machine can confine commands; loaded and tried only when somebody asks. */
async function sandboxFacts() {
  const { sandboxSupport } = await import("../sandbox/sandboxed_start.ts");
  const { tier, ...facts } = await sandboxSupport();
  return { mechanism: tier, ...facts };
}

function listen(
  { hostname, port }: { hostname: string; port: number },
  fetch: (request: Request, server: Bun.Server<SocketData>) => Response | Promise<Response>,
  connected: (transport: ServerSocket, principal: string) => void,
): Bun.Server<SocketData> {
  try {
    return Bun.serve<SocketData>({
      hostname,
      port,
      fetch,
      reusePort: false, // the runtime would share the port with whoever has it, and each get half of the clients
      development: false,
      idleTimeout: 30,
      maxRequestBodySize: 64 * 1024, // no route takes a body
      websocket: {
        maxPayloadLength: MAX_MESSAGE_BYTES,
        // Silence is judged by the connection, which knows more than the socket.
        idleTimeout: 0,
        sendPings: false,
        // Unsent bytes are bounded by those who produce them; the runtime would drop messages.
        backpressureLimit: 0,
        perMessageDeflate: false,
        open(socket) {
          socket.data.transport = new ServerSocket(socket, `exec-server websocket ${socket.data.peer}`);
          connected(socket.data.transport, socket.data.principal);
        },
        message: (socket, message) => socket.data.transport?.received(message),
        ping: (socket) => socket.data.transport?.heard(),
        pong: (socket) => socket.data.transport?.heard(),
        drain: (socket) => socket.data.transport?.drained(),
        close: (socket, code) => socket.data.transport?.closed(`closed with ${code}`),
      },
    });
  } catch (error) {
    throw new ListenError(osErrorText(osErrorCode(error) ?? String(error)));
  }
}

/** Everything behind the door takes longer to load than the door; whoever starts us waits for the address only. */
async function loadHost(options: HostOptions & Pick<ServeOptions, "openSpools">): Promise<SessionsHost> {
  await new Promise((resolve) => setImmediate(resolve));
  const [{ SessionsHost }, spools] = await Promise.all([
    import("./sessions_host.ts"),
    options.spools ?? options.openSpools?.(),
  ]);
  return new SessionsHost({ ...options, spools });
}

/** The address cannot be listened on. */
export class ListenError extends Error {
  override readonly name = "ListenError";
}

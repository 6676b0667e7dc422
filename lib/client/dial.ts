import type { Clock } from "../base/clock.ts";
import { durationText } from "../rpc/caller.ts";
import { ClientSocket, ConnectError } from "../transport/client_socket.ts";
import { type ServerProgram, SpawnedServer, SpawnError } from "../transport/spawned_server.ts";
import { ClientError } from "./client_error.ts";
import type { Dial } from "./open_session.ts";

/** Codex's number: longer than any reachable server takes. */
const CONNECT_TIMEOUT_MS = 10_000;

export interface WebSocketDial {
  /** `ws://…`, `wss://…` or `unix:PATH`. */
  readonly url: string;
  /** Sent as a bearer; never shown. */
  readonly token?: string;
  readonly connectTimeoutMs?: number;
  /** Certificates to trust, in PEM. */
  readonly tlsCa?: string;
  readonly clock?: Clock;
}

/** Connects to a server that listens somewhere. */
export function dialWebSocket(options: WebSocketDial): Dial {
  const { url, token, tlsCa, clock, connectTimeoutMs = CONNECT_TIMEOUT_MS } = options;
  const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  return async (givenUp) => {
    try {
      return await ClientSocket.connect({ url, headers, connectTimeoutMs, tlsCa, clock }, givenUp);
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
      if (error.code === "timeout") {
        const after = durationText(connectTimeoutMs);
        const text = `timed out connecting to exec-server websocket \`${url}\` after ${after}`;
        throw new ClientError("timeout", text);
      }
      const text = `failed to connect to exec-server websocket \`${url}\`: ${error.message}`;
      throw new ClientError("connect", text);
    }
  };
}

/** Starts a server program and speaks to it over its stdio. */
export function dialProgram(program: ServerProgram): Dial {
  return () => {
    try {
      return Promise.resolve(SpawnedServer.start(program));
    } catch (error) {
      if (!(error instanceof SpawnError)) throw error;
      return Promise.reject(new ClientError("spawn", `failed to spawn exec-server: ${error.message}`));
    }
  };
}

import { systemClock } from "../base/clock.ts";
import { LineStream } from "../transport/line_stream.ts";
import { MAX_MESSAGE_BYTES } from "../wire/message_limits.ts";
import { type HostOptions, SessionsHost } from "./sessions_host.ts";

/** How long a peer that closed our input may take to read the last answers. */
const LAST_WORDS_MS = 1_000;

export interface StdioServer {
  /** Resolves when the peer is gone, or broke the protocol, and every process was ended. */
  readonly ended: Promise<void>;
  close(): void;
}

/** Serves the one peer at the other end of stdin and stdout. */
export function serveStdio(options: Partial<HostOptions>): StdioServer {
  const host = new SessionsHost({ ...options, clock: options.clock ?? systemClock });
  const lines = new LineStream(
    Bun.stdin.stream(),
    Bun.stdout.writer(),
    "exec-server stdio",
    MAX_MESSAGE_BYTES,
  );
  const connection = host.serve(lines, "stdio");
  return {
    ended: connection.whenEnded
      .then(() => Promise.race([connection.whenIdle().then(() => lines.flushed()), Bun.sleep(LAST_WORDS_MS)]))
      .then(() => host.close()),
    close: () => host.close(),
  };
}

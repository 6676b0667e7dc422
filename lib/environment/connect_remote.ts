import type { EnvironmentSpec, ProgramSpec, UrlSpec } from "./environment_spec.ts";
import type { Connect } from "./far_client.ts";
import { RemoteEnvironment } from "./remote_environment.ts";

/** What we are called where the server keeps a record. */
const CLIENT_NAME = "codex-environment";
/** What is left after a server was found again, to read what was missed meanwhile. */
const CATCH_UP_MS = 5_000;

export interface ConnectOptions {
  readonly clientName?: string;
  /** What a program that serves says on its stderr, line by line. */
  readonly onProgramStderr?: (line: string) => void;
  /** How long a lost connection may take to come back. */
  readonly reconnectTimeoutMs?: number;
}

/** The way to a server. Its code is loaded when it is first gone: commands that run here do not pay for it. */
export function connectTo(spec: EnvironmentSpec, options: ConnectOptions = {}): Connect {
  return async (givenUp) => {
    const [{ RemoteClient }, dial] = await Promise.all([
      import("../client/remote_client.ts"),
      spec.kind === "url" ? dialUrl(spec) : dialProgram(spec, options),
    ]);
    let last: { end(): void } | null = null;
    givenUp.addEventListener("abort", () => last?.end(), { once: true });
    return await RemoteClient.connect({
      dial: async (gone) => {
        const transport = await dial(AbortSignal.any([gone, givenUp]));
        // A program may take its time before the first word; nobody waits for it any more.
        if (givenUp.aborted) transport.end();
        last = transport;
        return transport;
      },
      clientName: options.clientName ?? CLIENT_NAME,
      reconnects: spec.kind === "url",
      timeouts: {
        initializeMs: spec.initializeTimeoutMs,
        ...(options.reconnectTimeoutMs === undefined ? {} : {
          attachMs: options.reconnectTimeoutMs,
          recoverMs: options.reconnectTimeoutMs + CATCH_UP_MS,
        }),
      },
    });
  };
}

/** A server as an environment. */
export function remoteEnvironment(
  id: string,
  spec: EnvironmentSpec,
  connect: Connect = connectTo(spec),
): RemoteEnvironment {
  // What a program on stdio loses is lost: its processes ended with it.
  return new RemoteEnvironment({ id, connect, failures: spec.kind === "url" ? "retried" : "final" });
}

async function dialUrl({ url, token, tlsCa, connectTimeoutMs }: UrlSpec) {
  const { dialWebSocket } = await import("../client/dial.ts");
  return dialWebSocket({ url, token: token?.reveal(), tlsCa, connectTimeoutMs });
}

async function dialProgram({ program, args, env, cwd }: ProgramSpec, { onProgramStderr }: ConnectOptions) {
  const { dialProgram } = await import("../client/dial.ts");
  return dialProgram({
    program,
    args: [...args],
    env: { ...env },
    cwd: cwd ?? undefined,
    onStderr: onProgramStderr,
  });
}

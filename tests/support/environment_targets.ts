import { join } from "@std/path";
import { systemClock } from "../../lib/base/clock.ts";
import { RemoteClient } from "../../lib/client/remote_client.ts";
import { remoteEnvironment } from "../../lib/environment/connect_remote.ts";
import type { Environment } from "../../lib/environment/environment.ts";
import type { ProgramSpec, UrlSpec } from "../../lib/environment/environment_spec.ts";
import { LocalEnvironment } from "../../lib/environment/local_environment.ts";
import { serve } from "../../lib/server/serve.ts";
import { SessionsHost } from "../../lib/server/sessions_host.ts";
import { memoryPair } from "../../lib/transport/memory_pair.ts";

const MAIN = join(import.meta.dir, "../../main.ts");

/** An environment to try, and whatever stands behind it. */
export interface OpenTarget extends AsyncDisposable {
  readonly environment: Environment;
}

export interface EnvironmentTarget {
  readonly name: string;
  open(): Promise<OpenTarget>;
}

/** The same place in four ways. */
export const environmentTargets: readonly EnvironmentTarget[] = [
  { name: "local", open: () => Promise.resolve(holding(new LocalEnvironment())) },
  { name: "remote in memory", open: () => Promise.resolve(inMemory()) },
  { name: "remote over a socket", open: overSocket },
  { name: "remote over stdio", open: () => Promise.resolve(overStdio()) },
];

function holding(environment: Environment, end: () => void | Promise<void> = () => {}): OpenTarget {
  return {
    environment,
    async [Symbol.asyncDispose]() {
      await environment[Symbol.asyncDispose]();
      await end();
    },
  };
}

const NO_ADDRESS: UrlSpec = { kind: "url", url: "ws://memory" };

function inMemory(): OpenTarget {
  const host = new SessionsHost({ clock: systemClock });
  const connect = () =>
    RemoteClient.connect({
      clientName: "tests",
      reconnects: true,
      dial: () => {
        const [ours, theirs] = memoryPair();
        host.serve(theirs, "websocket");
        return Promise.resolve(ours);
      },
    });
  return holding(remoteEnvironment("remote", NO_ADDRESS, connect), () => host.close());
}

async function overSocket(): Promise<OpenTarget> {
  const server = await serve({ listen: "ws://127.0.0.1:0" });
  return holding(remoteEnvironment("remote", { kind: "url", url: server.url }), () => server.close());
}

/** The command that serves on its stdin and stdout. */
export const STDIO_PROGRAM: ProgramSpec = {
  kind: "program",
  program: process.execPath,
  args: ["--no-env-file", MAIN, "serve", "--listen", "stdio"],
  env: {},
  cwd: null,
};

function overStdio(): OpenTarget {
  return holding(remoteEnvironment("remote", STDIO_PROGRAM));
}

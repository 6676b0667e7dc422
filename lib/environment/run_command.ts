import type { Intent } from "../sandbox/intent.ts";
import { EnvironmentError } from "./environment_error.ts";
import type { Environment } from "./environment.ts";
import { followProcess } from "./follow_process.ts";

/** Above it a command's output is no longer a value to hold but a stream to follow. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

export interface RunOptions {
  /** An absolute path there. By default where the environment says its commands start. */
  readonly cwd?: string;
  /** On top of the environment's own variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** What it is confined to; by default nothing. */
  readonly sandbox?: Intent;
  /** Ends the command, descendants included. */
  readonly signal?: AbortSignal;
}

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
}

/**
 * Runs a command to its end, here or there, with nothing on its stdin. Rejects with a ProcessError when it cannot be
 * started, and with an EnvironmentError when nobody knows how it ended.
 */
export async function runCommand(
  environment: Environment,
  argv: readonly string[],
  { cwd, env = {}, sandbox, signal }: RunOptions = {},
): Promise<CommandResult> {
  signal?.throwIfAborted();
  const process = await environment.backend().start({
    processId: crypto.randomUUID(),
    argv,
    arg0: null,
    cwd: cwd ?? await startDirectory(environment),
    env,
    envPolicy: { inherit: "all", ignoreDefaultExcludes: true, exclude: [], set: {}, includeOnly: [] },
    tty: false,
    pipeStdin: false,
    size: null,
    terminalSignalExit: "128+n",
  }, sandbox ?? null);
  const end = () => void Promise.resolve(process.terminate()).catch(() => {}); // its end, or its loss, is told below
  signal?.addEventListener("abort", end);
  if (signal?.aborted) end();
  try {
    return await collect(followProcess(process), end);
  } finally {
    signal?.removeEventListener("abort", end);
  }
}

async function startDirectory(environment: Environment): Promise<string> {
  const { cwd, home } = await environment.info();
  return cwd ?? home ?? "/";
}

async function collect(events: ReturnType<typeof followProcess>, end: () => void): Promise<CommandResult> {
  const chunks = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] };
  let exitCode = -1;
  let size = 0;
  for await (const event of events) {
    if (event.type === "failed") throw new EnvironmentError("disconnected", event.message);
    if (event.type === "exited") exitCode = event.exitCode;
    if (event.type !== "output") continue;
    size += event.bytes.length;
    if (size > MAX_OUTPUT_BYTES) {
      end();
      throw new EnvironmentError("unavailable", `Cannot hold more than ${MAX_OUTPUT_BYTES} bytes of output`);
    }
    chunks[event.stream === "stderr" ? "stderr" : "stdout"].push(event.bytes);
  }
  return { exitCode, stdout: joined(chunks.stdout), stderr: joined(chunks.stderr) };
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(chunks));
}

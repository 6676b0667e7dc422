import { mkdir } from "node:fs/promises";
import { join } from "@std/path";
import { MockModel, type Script } from "./mock_model.ts";
import { makeTemporaryDirectory } from "./temporary_directory.ts";
import type { ToolAnswer } from "./tool_answer.ts";

/** Longer than any script here on a busy machine; a client that hangs is killed rather than left behind. */
const CONVERSATION_DEADLINE_MS = 40_000;

export interface ClientOptions {
  /** The codex binary. */
  readonly binary: string;
  /** What the client gets as CODEX_EXEC_SERVER_URL. */
  readonly serverUrl: string;
  /** Where the client and its commands are; a fresh directory if absent. */
  readonly workdir?: string;
  /** Without a sandbox unless said: the client's default sends a sandbox intent along. */
  readonly sandbox?: "danger-full-access" | "workspace-write" | "read-only";
  /** The text of CODEX_HOME/environments.toml, which then replaces the URL. */
  readonly environmentsToml?: string;
}

export interface Conversation {
  readonly answers: readonly ToolAnswer[];
  /** What the client sent to the model, turn by turn. */
  readonly requests: readonly unknown[];
  /** What the client printed as the model's last words. */
  readonly said: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/**
 * Runs `codex exec` against a scripted model until the script is at its end. The client sees an empty home and
 * no network but loopback. Rejects with the script's own failure, if it had one; nothing outlives the call.
 */
export async function converse(options: ClientOptions, script: () => Script): Promise<Conversation> {
  await using model = new MockModel(script());
  await using home = await makeTemporaryDirectory();
  const workdir = options.workdir ?? join(home.path, "work");
  await mkdir(workdir, { recursive: true });
  await Bun.write(join(home.path, "config.toml"), configNaming(model.baseUrl));
  if (options.environmentsToml !== undefined) {
    await Bun.write(join(home.path, "environments.toml"), options.environmentsToml);
  }

  const client = Bun.spawn([
    options.binary,
    "exec",
    "--skip-git-repo-check",
    "-s",
    options.sandbox ?? "danger-full-access",
    "Do as the script says",
  ], {
    cwd: workdir,
    env: clientEnv(home.path, options.serverUrl),
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    // A group of its own, so that whatever the client starts can be ended with it.
    detached: true,
  });
  let late = false;
  const deadline = setTimeout(() => {
    late = true;
    endGroup(client.pid);
  }, CONVERSATION_DEADLINE_MS);
  try {
    const [said, stderr, exitCode] = await Promise.all([
      new Response(client.stdout).text(),
      new Response(client.stderr).text(),
      client.exited,
    ]);
    if (model.failure !== undefined) throw model.failure;
    if (late) throw new Error(`The client did not come to an end:\n${stderr}`);
    return { answers: model.answers, requests: model.requests, said: said.trim(), stderr, exitCode };
  } finally {
    clearTimeout(deadline);
    endGroup(client.pid);
  }
}

function configNaming(baseUrl: string): string {
  return `
model = "scripted"
model_provider = "loopback"
check_for_update_on_startup = false

[model_providers.loopback]
name = "loopback"
base_url = ${JSON.stringify(baseUrl)}
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0

[analytics]
enabled = false
`;
}

/** Exactly these: a variable of the developer's own set-up must not decide what the client does. */
function clientEnv(home: string, serverUrl: string): Record<string, string> {
  // Port 9 of loopback (discard) answers nobody: a client that tries to call home fails at once.
  const nowhere = "http://127.0.0.1:9";
  return {
    PATH: process.env.PATH ?? "",
    HOME: home,
    CODEX_HOME: home,
    CODEX_EXEC_SERVER_URL: serverUrl,
    HTTP_PROXY: nowhere,
    HTTPS_PROXY: nowhere,
    NO_PROXY: "127.0.0.1",
    RAN_ON: "the client",
  };
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    // ESRCH is the usual case: the client has ended and left nobody behind.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "@std/path";
import { within } from "../support/peer_deadline.ts";
import { findCodex } from "../support/real_codex.ts";
import { type ServerProcess, spawnServer } from "../support/target_process.ts";
import { type Ran, ROOT } from "./run_program.ts";

/** The words that start the program from its sources. */
export const PROGRAM = [process.execPath, "--no-env-file", join(ROOT, "main.ts")];

/** Nothing is configured but what a test says. */
const ENV: Record<string, string | undefined> = {
  ...process.env,
  HOME: tmpdir(),
  XDG_CONFIG_HOME: undefined,
  CODEX_HOME: undefined,
  EXEC_SERVER_URL: undefined,
  CODEX_EXEC_SERVER_URL: undefined,
  EXEC_SERVER_TOKEN_FILE: undefined,
};

export interface ShellOptions {
  /** The server that is meant; none: this machine. */
  readonly url?: string | null;
  readonly cwd?: string;
}

export function startShell(line: string, { url, cwd = ROOT }: ShellOptions = {}) {
  const program = PROGRAM.map((word) => `'${word}'`).join(" ");
  return Bun.spawn(["bash", "-c", line.replaceAll("$X", program)], {
    cwd,
    env: { ...ENV, EXEC_SERVER_URL: url ?? undefined },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
}

/** Runs a line of shell in which `$X` is the program. */
export async function shell(line: string, options: ShellOptions = {}): Promise<Ran> {
  await using child = startShell(line, options);
  const [stdout, stderr, status] = await within(
    Promise.all([child.stdout.text(), child.stderr.text(), child.exited]),
    `the end of ${line}`,
  );
  return { status, stdout, stderr };
}

export function directory(): Disposable & { path: string; names(): string[] } {
  const path = mkdtempSync(join(tmpdir(), "exec-server-files-"));
  return {
    path,
    names: () => readdirSync(path).sort(),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

export function serve(): Promise<ServerProcess> {
  return spawnServer([...PROGRAM, "serve"], { PATH: process.env["PATH"] ?? "", HOME: tmpdir() });
}

/** The real server, where its binary is at hand; null elsewhere. */
export async function serveCodex(): Promise<ServerProcess | null> {
  const codex = await findCodex("0.169.0");
  if (!codex.found) return null;
  const home = directory();
  const server = await spawnServer([codex.binary, "exec-server", "--listen", "ws://127.0.0.1:0"], {
    PATH: process.env["PATH"] ?? "",
    HOME: home.path,
  });
  const end = server[Symbol.asyncDispose];
  return Object.assign(server, {
    async [Symbol.asyncDispose]() {
      await end();
      home[Symbol.dispose]();
    },
  });
}

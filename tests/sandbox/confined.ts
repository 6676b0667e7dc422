import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { byDepth, bytePathOf } from "../../lib/sandbox/byte_path.ts";
import { Sandbox, type SandboxStart, type Wrapped } from "../../lib/sandbox/launch.ts";
import type { MountRule, Rules } from "../../lib/sandbox/rules.ts";

export const sandbox = new Sandbox();

/** Whether there is a mechanism for views here, so that tests of one make sense. */
export const { mechanism } = await sandbox.support();

export function rulesOf(mounts: readonly MountRule[], rest: Partial<Rules> = {}): Rules {
  return {
    view: "whole-read",
    mounts: mounts.toSorted((one, other) => byDepth(one.path, other.path)),
    links: [],
    network: "restricted",
    whole: { read: true, write: false },
    ...rest,
  };
}

/** What a test says of a start. `ports`: a managed network. */
export type StartWords = Partial<SandboxStart> & { readonly ports?: readonly number[] };

/** The child's stdio and end; `env` and `cwd` have quiet values. */
export interface Confined extends AsyncDisposable {
  readonly child: Bun.Subprocess<"pipe", "pipe", "pipe">;
  readonly began: Promise<void>;
}

export async function spawnConfined(rules: Rules, { ports, ...start }: StartWords): Promise<Confined> {
  const confinement = await sandbox.confine(rules, ports);
  const wrapped = confinement.wrap(whole(start));
  const child = spawn(wrapped);
  const began = wrapped.began();
  const ended = child.exited.then(() => wrapped.release());
  return {
    child,
    began,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

export function whole(start: Partial<SandboxStart>): SandboxStart {
  const programs = start.programs ?? ["/bin/sh"];
  const env = { PATH: "/usr/local/bin:/usr/bin:/bin" };
  return { programs, argv: ["sh"], cwd: "/", env, tty: false, ...start };
}

function spawn({ command, abandon }: Wrapped): Bun.Subprocess<"pipe", "pipe", "pipe"> {
  const { program, argv0, cwd, env, extraFds } = command;
  try {
    return Bun.spawn([program], {
      argv0,
      cwd,
      env,
      stdio: ["pipe", "pipe", "pipe", ...extraFds],
      detached: true,
    });
  } catch (error) {
    abandon();
    throw error;
  }
}

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs it to its end, with nothing as input. */
export async function runConfined(rules: Rules, start: StartWords): Promise<Outcome> {
  await using confined = await spawnConfined(rules, start);
  const { child } = confined;
  child.stdin.end();
  await confined.began;
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  await child.exited;
  return { code: child.exitCode, signal: child.signalCode, stdout, stderr };
}

/** A line of shell, and what it says: stdout and stderr together, without the last line end. */
export async function shell(rules: Rules, line: string, start: StartWords = {}): Promise<string> {
  const { stdout } = await runConfined(rules, { argv: ["sh", "-c", `exec 2>&1\n${line}`], ...start });
  return stdout.trimEnd();
}

/** A directory of our own, resolved. Not in /tmp where tests make that a rule of its own. */
export function workspace(): Disposable & { path: string; bytes: string } {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "sandbox-")));
  return {
    path,
    bytes: bytePathOf(path),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

import { osErrorCode, osErrorText } from "../../base/os_error.ts";
import type { StartOptions } from "../backend.ts";
import type { Child, ChildListener } from "./child.ts";
import { type Confinement, startFailure, unenforceable, type Wrapped } from "./confinement.ts";
import { stopInnerGroup } from "./inner_group.ts";
import { type ResolvedStart, resolveStart, withDirectory } from "./resolved_start.ts";
import { spawn } from "./spawn_child.ts";
import { noDirectory, notExecuted, notFound, refuseMissingDirectory, spawnError } from "./spawn_error.ts";

export interface ConfinedChild {
  readonly child: Child;
  /** Resolves once what was asked for runs; rejects with a ProcessError when it never will. */
  readonly began: Promise<void>;
}

/**
 * Starts what was asked for inside a confinement; `env` is what the command will see. When it throws, nothing was spawned
 * and nothing is left. Failures are told in the words of an unconfined start.
 */
export function spawnConfinedChild(
  options: StartOptions,
  env: Readonly<Record<string, string>>,
  confinement: Confinement,
  listener: ChildListener,
): ConfinedChild {
  const { cwd, tty } = options;
  const resolved = withDirectory(cwd, (way) => {
    if (way.includes("\0")) refuseMissingDirectory(way, cwd); // a plan would end it there
    return resolveStart(options, env, way, "all");
  });
  const wrapped = confinement.wrap({ ...resolved, cwd, env, tty });
  const child = spawnWrapped(wrapped, options, listener);
  const began = wrapped.began().catch((error) => {
    throw refusalOf(error, options, resolved, env["PATH"]);
  });
  return { child: { ...child, stop: () => stopInnerGroup(child.pid) }, began };
}

function spawnWrapped(wrapped: Wrapped, options: StartOptions, listener: ChildListener): Child {
  const { program, argv0, cwd, env, extraFds } = wrapped.command;
  try {
    return spawn({ program, argv: [argv0], cwd, env, extraFds, cgroup: listener.tree.cgroup }, options, {
      tree: listener.tree,
      output: (stream, bytes) => listener.output(stream, bytes),
      streamEnded: (stream) => listener.streamEnded(stream),
      exited(status, spent) {
        wrapped.release();
        listener.exited(status, spent);
      },
    });
  } catch (error) {
    wrapped.abandon();
    const code = osErrorCode(error);
    if (code === null) throw error;
    throw spawnError(osErrorText(code), "spawn", code, program);
  }
}

/** Why it never ran, in the words that an unconfined start would have had. */
function refusalOf(
  error: unknown,
  { argv, cwd, tty }: StartOptions,
  { programs }: ResolvedStart,
  path: string | undefined,
): unknown {
  const failure = startFailure(error);
  if (failure === null) return error;
  const { kind, errno, what } = failure;
  if (kind === "setup") return unenforceable(`${what}: ${osErrorText(errno)}`, error);
  if (kind === "cwd") return noDirectory(errno, cwd);
  const [name] = argv;
  const isHidden = !name!.includes("/") && (errno === "ENOENT" || errno === "EACCES");
  // It was found, but what it sees of this machine is not what we see.
  if (isHidden) return notFound(name!, errno === "EACCES" ? programs : [], tty, path);
  return withDirectory(cwd, (way) => notExecuted(errno, programs.at(-1)!, way));
}

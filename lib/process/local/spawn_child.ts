import { closeSync, constants, openSync, statSync } from "node:fs";
import { isAbsolute, join } from "@std/path";
import { osErrorCode, osErrorText } from "../../base/os_error.ts";
import type { StartOptions } from "../backend.ts";
import { ProcessError } from "../process_error.ts";
import type { Child, ChildListener, Launch } from "./child.ts";
import { childEnv } from "./child_env.ts";
import { withInheritedDescriptorLimit } from "./descriptor_limit.ts";
import { findProgram } from "./find_program.ts";
import { accountShell } from "./host_info.ts";
import { spawnPipeChild } from "./pipe_child.ts";
import { DEFAULT_SIZE, spawnPtyChild } from "./pty_child.ts";

/** Names a place without the right to read it; node:fs does not list it. */
const O_PATH = 0o10000000;

/** The longest variable that Linux hands to a program. A peer's PATH is not searched beyond it, which takes seconds. */
const LONGEST_VARIABLE_BYTES = 128 * 1024;

/** Whose fault it is when the system refuses, where that is certain. */
const PHASES: Readonly<Record<string, "program">> = {
  ENOENT: "program",
  EACCES: "program",
  ENOEXEC: "program",
};

/** Starts what was asked for, or throws a ProcessError that tells which step failed; then nothing is left. */
export function spawnChild(options: StartOptions, listener: ChildListener): Child {
  const kind = options.tty ? "PTY" : "pipe";
  const [name] = options.argv;
  if (name === undefined) throw new ProcessError("invalid", "argv must not be empty");
  if (name === "") throw spawnError(`missing program for ${kind} spawn`, "program", "ENOENT", "");
  const env = childEnv(options.envPolicy, options.env, process.env);
  if (options.tty && env["SHELL"] === undefined) env["SHELL"] = accountShell().path;
  refuseNul(options, env);
  if ((env["PATH"] ?? "").length >= LONGEST_VARIABLE_BYTES) {
    throw spawnError(osErrorText("E2BIG"), "spawn", "E2BIG", name);
  }

  return withDirectory(options.cwd, (cwd) => {
    const found = findProgram(name, env["PATH"], cwd);
    if (!("program" in found)) {
      refuseMissingDirectory(cwd, options.cwd);
      throw notFound(name, found.refused, options.tty, env["PATH"]);
    }
    if (options.tty && !name.includes("/") && env["PATH"] === undefined) {
      throw spawnError(
        `Unable to spawn ${name} because:\nUnable to resolve the PATH`,
        "program",
        "ENOENT",
        name,
      );
    }
    const launch: Launch = {
      program: found.program,
      argv: [options.arg0 ?? name, ...options.argv.slice(1)],
      cwd,
      env,
    };
    try {
      return withInheritedDescriptorLimit(() =>
        options.tty
          ? spawnPtyChild(launch, options.size ?? DEFAULT_SIZE, listener)
          : spawnPipeChild(launch, options.pipeStdin, listener)
      );
    } catch (error) {
      // Asked only now: a start that works should not pay for telling failures apart.
      refuseMissingDirectory(cwd, options.cwd);
      const code = osErrorCode(error);
      if (code === null) throw error;
      const phase = code === "ENOENT" && exists(found.program, cwd) ? "spawn" : PHASES[code] ?? "spawn";
      throw spawnError(osErrorText(code), phase, code, found.program);
    }
  });
}

function refuseNul(options: StartOptions, env: Record<string, string>): void {
  const isNul = (text: string) => text.includes("\0");
  if (options.argv.some(isNul) || (options.arg0 !== null && isNul(options.arg0))) {
    throw spawnError("nul byte found in provided data", "spawn", "EINVAL", "");
  }
  for (const name in env) {
    if (!isNul(name) && !isNul(env[name]!)) continue;
    throw spawnError("data provided contains a nul byte", "spawn", "EINVAL", "");
  }
}

function notFound(
  name: string,
  refused: readonly string[],
  tty: boolean,
  path: string | undefined,
): ProcessError {
  const code = refused.length > 0 ? "EACCES" : "ENOENT";
  if (!tty) return spawnError(osErrorText(code), "program", code, name);
  const found = refused.map((file) => `${file} exists but is not executable.\n`).join("");
  const searched = path === undefined
    ? "Unable to resolve the PATH"
    : `${found}No viable candidates found in PATH ${JSON.stringify(path)}`;
  return spawnError(`Unable to spawn ${name} because:\n${searched}`, "program", code, name);
}

/**
 * Hands the directory over as text. One whose name is not UTF-8 cannot travel through the runtime, so it is
 * opened and named by our descriptor of it while the child starts.
 */
function withDirectory<T>(cwd: string | Uint8Array, use: (cwd: string) => T): T {
  if (typeof cwd === "string") return use(cwd);
  let fd: number;
  try {
    fd = openSync(Buffer.from(cwd), O_PATH | constants.O_DIRECTORY);
  } catch (error) {
    const code = osErrorCode(error) ?? "EIO";
    throw spawnError(osErrorText(code), "cwd", code, shown(cwd));
  }
  try {
    return use(`/proc/${process.pid}/fd/${fd}`);
  } finally {
    closeSync(fd);
  }
}

function refuseMissingDirectory(cwd: string, asked: string | Uint8Array): void {
  let code: string;
  try {
    if (statSync(cwd).isDirectory()) return;
    code = "ENOTDIR";
  } catch (error) {
    code = osErrorCode(error) ?? "EIO";
  }
  throw spawnError(osErrorText(code), "cwd", code, shown(asked));
}

function exists(program: string, cwd: string): boolean {
  return statSync(isAbsolute(program) ? program : join(cwd, program), { throwIfNoEntry: false }) !==
    undefined;
}

function shown(path: string | Uint8Array): string {
  return typeof path === "string" ? path : new TextDecoder().decode(path);
}

function spawnError(
  message: string,
  phase: "program" | "cwd" | "spawn",
  errno: string,
  path: string,
): ProcessError {
  return new ProcessError("spawn", message, { phase, errno, path });
}

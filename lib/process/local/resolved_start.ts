import { closeSync, constants, openSync } from "node:fs";
import { osErrorCode, osErrorText } from "../../base/os_error.ts";
import type { StartOptions } from "../backend.ts";
import { ProcessError } from "../process_error.ts";
import { childEnv } from "./child_env.ts";
import { findProgram, findPrograms } from "./find_program.ts";
import { accountShell } from "./host_info.ts";
import { noDirectory, notFound, refuseMissingDirectory, spawnError } from "./spawn_error.ts";

/** Names a place without the right to read it; node:fs does not list it. */
const O_PATH = 0o10000000;

/** The longest variable that Linux hands to a program. A peer's PATH is not searched beyond it, which takes seconds. */
const LONGEST_VARIABLE_BYTES = 128 * 1024;

/** What a start means on this machine. */
export interface ResolvedStart {
  /** What the name may mean, the likeliest first; never empty. Absolute, or relative to the directory. */
  readonly programs: readonly [string, ...string[]];
  /** The first is what it is told it is called. */
  readonly argv: readonly string[];
}

/** The environment that a command is given. Throws a ProcessError for what no program can be handed. */
export function resolvedEnv(options: StartOptions): Record<string, string> {
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
  return env;
}

/**
 * Looks the program up. `cwd` is a way to the directory that the runtime can go; see `withDirectory`. Of several programs
 * of that name only the first where one is all that can be used.
 */
export function resolveStart(
  options: StartOptions,
  env: Readonly<Record<string, string>>,
  cwd: string,
  wanted: "first" | "all",
): ResolvedStart {
  const { tty, arg0, argv } = options;
  const name = argv[0]!;
  const found = wanted === "first"
    ? firstProgram(name, env["PATH"], cwd)
    : findPrograms(name, env["PATH"], cwd);
  const [first, ...others] = found.programs;
  if (first === undefined) {
    refuseMissingDirectory(cwd, options.cwd);
    throw notFound(name, found.refused, tty, env["PATH"]);
  }
  if (tty && !name.includes("/") && env["PATH"] === undefined) throw notFound(name, [], tty, undefined);
  return { programs: [first, ...others], argv: [arg0 ?? name, ...argv.slice(1)] };
}

function firstProgram(name: string, path: string | undefined, cwd: string) {
  const found = findProgram(name, path, cwd);
  return "program" in found ? { programs: [found.program], refused: [] } : { programs: [], ...found };
}

/**
 * Hands the directory over as text. One whose name is not UTF-8 cannot travel through the runtime, so it is
 * opened and named by our descriptor of it while the child starts.
 */
export function withDirectory<T>(cwd: string | Uint8Array, use: (cwd: string) => T): T {
  if (typeof cwd === "string") return use(cwd);
  let fd: number;
  try {
    fd = openSync(Buffer.from(cwd), O_PATH | constants.O_DIRECTORY);
  } catch (error) {
    throw noDirectory(osErrorCode(error) ?? "EIO", cwd);
  }
  try {
    return use(`/proc/${process.pid}/fd/${fd}`);
  } finally {
    closeSync(fd);
  }
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

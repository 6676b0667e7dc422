import { statSync } from "node:fs";
import { isAbsolute, join } from "@std/path";
import { osErrorCode, osErrorText } from "../../base/os_error.ts";
import { ProcessError, type SpawnFailure } from "../process_error.ts";

// Why a child does not start, in the words of Codex.

/** Whose fault it is when the system refuses, where that is certain. */
const PHASES: Readonly<Record<string, "program">> = {
  ENOENT: "program",
  EACCES: "program",
  ENOEXEC: "program",
};

export function spawnError(
  message: string,
  phase: SpawnFailure["phase"],
  errno: string,
  path: string,
): ProcessError {
  return new ProcessError("spawn", message, { phase, errno, path });
}

/** A bare name that means no program: `refused` is what bears it and cannot be executed. */
export function notFound(
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

/** The system would not execute the program. */
export function notExecuted(code: string, program: string, cwd: string): ProcessError {
  const phase = code === "ENOENT" && exists(program, cwd) ? "spawn" : PHASES[code] ?? "spawn";
  return spawnError(osErrorText(code), phase, code, program);
}

export function noDirectory(code: string, cwd: string | Uint8Array): ProcessError {
  const shown = typeof cwd === "string" ? cwd : new TextDecoder().decode(cwd);
  return spawnError(osErrorText(code), "cwd", code, shown);
}

/** `asked` is how the directory was called; `cwd` is how it can be reached. */
export function refuseMissingDirectory(cwd: string, asked: string | Uint8Array): void {
  let code: string;
  try {
    if (statSync(cwd).isDirectory()) return;
    code = "ENOTDIR";
  } catch (error) {
    code = osErrorCode(error) ?? "EIO";
  }
  throw noDirectory(code, asked);
}

function exists(program: string, cwd: string): boolean {
  return statSync(isAbsolute(program) ? program : join(cwd, program), { throwIfNoEntry: false }) !==
    undefined;
}

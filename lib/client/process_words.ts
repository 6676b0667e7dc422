import { ProcessError, type ProcessErrorCode, type SpawnFailure } from "../process/process_error.ts";
import { INVALID_PARAMS, INVALID_REQUEST, type WireError } from "../wire/wire_error.ts";
import { inClientWords } from "./client_error.ts";

// What a server refused, in the words in which a local backend would have refused it.

/** Why a process did not start. */
export function startErrorOf(error: unknown): ProcessError {
  const { rejection } = inClientWords(error);
  if (rejection === null) return lossOf(error);
  return new ProcessError(startCodeOf(rejection), rejection.message, spawnFailureOf(rejection.data));
}

/** Why one that somebody else started cannot be followed. */
export function attachErrorOf(error: unknown): ProcessError {
  const { rejection } = inClientWords(error);
  return rejection === null ? lossOf(error) : new ProcessError("unknown", rejection.message);
}

function startCodeOf({ code, message }: WireError): ProcessErrorCode {
  if (code === INVALID_PARAMS) return isAboutSandbox(message) ? "unenforceable" : "invalid";
  if (code !== INVALID_REQUEST) return "spawn";
  return message.endsWith("already exists") ? "duplicate" : "invalid";
}

/** Every refusal to confine begins with one of these, here and at Codex. */
function isAboutSandbox(message: string): boolean {
  return message.startsWith("sandbox intent cannot be enforced") ||
    message.startsWith("failed to prepare process sandbox");
}

/** Ours says which step failed; Codex does not. */
function spawnFailureOf(data: object | undefined): SpawnFailure | undefined {
  if (data === undefined) return undefined;
  const { phase, errno, path } = data as Record<string, unknown>;
  if (phase !== "program" && phase !== "cwd" && phase !== "spawn") return undefined;
  if (typeof errno !== "string" || typeof path !== "string") return undefined;
  return { phase, errno, path };
}

/** Why something else that was asked of a process was not done. */
export function lossOf(error: unknown): ProcessError {
  if (error instanceof ProcessError) return error;
  const { rejection, message } = inClientWords(error);
  return rejection === null
    ? new ProcessError("lost", message)
    : new ProcessError("signal", rejection.message);
}

/** The text of whatever went wrong on the wire. */
export function textOf(error: unknown): string {
  return inClientWords(error).message;
}

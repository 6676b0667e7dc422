import { readFileSync, statSync } from "node:fs";
import { osErrorCode, osErrorText } from "../base/os_error.ts";
import { EnvironmentError, messageOf } from "./environment_error.ts";

/** Whether there is a configuration file; without loading what reads it. Throws an EnvironmentError. */
export function isThere(path: string): boolean {
  try {
    // An error would cost more than the question, and most have no such file.
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    throw new EnvironmentError(
      "protocol",
      `failed to inspect environment config \`${path}\`: ${textOf(error)}`,
    );
  }
}

export function readText(path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    const why = error instanceof TypeError ? "stream did not contain valid UTF-8" : textOf(error);
    throw new EnvironmentError("protocol", `failed to read environment config \`${path}\`: ${why}`);
  }
}

function textOf(error: unknown): string {
  const code = osErrorCode(error);
  return code === null ? messageOf(error) : osErrorText(code);
}

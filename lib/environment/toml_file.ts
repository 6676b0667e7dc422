import { statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { osErrorCode, osErrorText } from "../base/os_error.ts";
import { EnvironmentError, messageOf } from "./environment_error.ts";

/** Whether there is a configuration file; without loading what reads it. Throws an EnvironmentError. */
export function isThere(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch (error) {
    if (osErrorCode(error) === "ENOENT") return false;
    throw new EnvironmentError(
      "protocol",
      `failed to inspect environment config \`${path}\`: ${textOf(error)}`,
    );
  }
}

export async function readText(path: string): Promise<string> {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path));
  } catch (error) {
    const why = error instanceof TypeError ? "stream did not contain valid UTF-8" : textOf(error);
    throw new EnvironmentError("protocol", `failed to read environment config \`${path}\`: ${why}`);
  }
}

function textOf(error: unknown): string {
  const code = osErrorCode(error);
  return code === null ? messageOf(error) : osErrorText(code);
}

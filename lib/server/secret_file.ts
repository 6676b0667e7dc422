import { constants } from "node:os";
import { resolve } from "node:path";
import { AuthError } from "./auth_error.ts";

export type ReadFile = (path: string) => Promise<Uint8Array>;

/** A secret and the absolute path it came from, which errors name. */
export interface Secret {
  text: string;
  path: string;
}

/** Reads a secret without the white space around it. Throws an AuthError `secret` when there is none to read. */
export async function readSecret(file: string, readFile: ReadFile): Promise<Secret> {
  const path = resolve(file);
  const text = trimWhiteSpace(decode(await read(path, readFile), path));
  if (text === "") throw new AuthError("secret", `websocket auth secret ${path} must not be empty`);
  return { text, path };
}

async function read(path: string, readFile: ReadFile): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw unreadable(path, osErrorText(cause), cause);
  }
}

function decode(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw unreadable(path, "stream did not contain valid UTF-8", cause);
  }
}

function unreadable(path: string, detail: string, cause: unknown): AuthError {
  return new AuthError("secret", `failed to read websocket auth secret ${path}: ${detail}`, { cause });
}

/** Unicode's white space, which is not quite what trim() takes: a digest of the token is compared with other programs'. */
function trimWhiteSpace(text: string): string {
  return text.replace(/^\p{White_Space}+/u, "").replace(/\p{White_Space}+$/u, "");
}

const OS_ERROR_TEXTS = new Map([
  ["EACCES", "Permission denied"],
  ["EISDIR", "Is a directory"],
  ["ELOOP", "Too many levels of symbolic links"],
  ["ENAMETOOLONG", "File name too long"],
  ["ENOENT", "No such file or directory"],
  ["ENOTDIR", "Not a directory"],
  ["EPERM", "Operation not permitted"],
]);

/** As the system's own programs say it: `No such file or directory (os error 2)`. */
export function osErrorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? String(error.code) : "";
  const text = OS_ERROR_TEXTS.get(code);
  const number = Object.entries(constants.errno).find(([name]) => name === code)?.[1];
  return text === undefined || number === undefined ? error.message : `${text} (os error ${number})`;
}

import { resolve } from "node:path";
import { osErrorWords } from "../base/os_error.ts";
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
    throw unreadable(path, osErrorWords(cause), cause);
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

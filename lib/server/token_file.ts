import { createHash, randomBytes } from "node:crypto";
import { open, rm } from "node:fs/promises";
import { resolve } from "node:path";
import { osErrorWords } from "../base/os_error.ts";
import { AuthError } from "./auth_error.ts";

/** Too many to guess, and a header of a readable length. */
const TOKEN_BYTES = 32;

/** A fresh capability token, in letters that need no quoting anywhere. */
export function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString("base64url");
}

/**
 * Makes a file with a fresh token that only its owner can read. Never overwrites: somebody may still come in with the
 * old one. Resolves to the absolute path and the token's digest (for `--ws-token-sha256`). Throws an AuthError `secret`.
 */
export async function createTokenFile(file: string): Promise<{ path: string; sha256: string }> {
  const path = resolve(file);
  const token = newToken();
  try {
    await writeNewFile(path, `${token}\n`);
  } catch (cause) {
    throw new AuthError("secret", `Cannot create token file ${path}: ${reason(cause)}`, { cause });
  }
  return { path, sha256: createHash("sha256").update(token).digest("hex") };
}

async function writeNewFile(path: string, text: string): Promise<void> {
  // "wx" is O_EXCL: it follows no link to a file that is there, and the mode holds from the first moment.
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(text);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}

function reason(error: unknown): string {
  if (error instanceof Error && "code" in error && error.code === "EEXIST") {
    return "it already exists, and a token is never overwritten";
  }
  return osErrorWords(error);
}

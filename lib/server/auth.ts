import { readFile as readFileFromDisk } from "node:fs/promises";
import { AuthError } from "./auth_error.ts";
import type { AuthSettings } from "./auth_settings.ts";
import { type Authenticator, bearerAuthenticator } from "./authenticator.ts";
import { bearerJwtCheck } from "./bearer_jwt.ts";
import { capabilityTokenCheck, sha256 } from "./capability_token.ts";
import { tokenSubject } from "./token_subject.ts";
import { type ReadFile, readSecret } from "./secret_file.ts";

const SHORTEST_SHARED_SECRET = 32; // Bytes: HMAC-SHA-256 is as strong as its key only up to here.
const LAST_I64 = 2n ** 63n - 1n;

/** Reads the secrets that the settings name. Throws an AuthError. */
export async function openAuthenticator(
  settings: AuthSettings,
  { readFile = readFileFromDisk, epochMs = Date.now }: { readFile?: ReadFile; epochMs?: () => number } = {},
): Promise<Authenticator> {
  const checkToken = settings.mode === "capability-token"
    ? capabilityTokenCheck(await tokenDigest(settings.source, readFile))
    : await bearerJwtCheck(await sharedSecret(settings.secretFile, readFile), accepted(settings), epochMs);
  const authenticator = bearerAuthenticator(checkToken);
  return settings.mode === "signed-bearer-token"
    ? { ...authenticator, principalOf: tokenSubject }
    : authenticator;
}

async function tokenDigest(
  source: { file: string } | { sha256: string },
  readFile: ReadFile,
): Promise<Buffer> {
  if ("sha256" in source) return Buffer.from(source.sha256, "hex");
  return sha256((await readSecret(source.file, readFile)).text);
}

async function sharedSecret(file: string, readFile: ReadFile): Promise<string> {
  const { text, path } = await readSecret(file, readFile);
  if (Buffer.byteLength(text) < SHORTEST_SHARED_SECRET) {
    throw new AuthError("secret", `signed websocket bearer secret ${path} must be at least 32 bytes`);
  }
  return text;
}

type SignedBearerSettings = Extract<AuthSettings, { mode: "signed-bearer-token" }>;

/** Judged after the secret, as Codex does: of two mistakes both servers name the same one. */
function accepted(settings: SignedBearerSettings): SignedBearerSettings {
  if (settings.maxClockSkew > LAST_I64) {
    throw new AuthError("settings", "websocket auth clock skew must fit in a signed 64-bit integer");
  }
  return settings;
}

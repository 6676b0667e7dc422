import type { TokenCheck } from "./authenticator.ts";
import { judgeClaims, type JwtExpectations, parseClaims } from "./jwt_claims.ts";

const INVALID = "invalid websocket jwt";

/** Three parts, the last being the 32 bytes of an HMAC-SHA-256 in the only spelling they have. */
const HS256_JWT = /^[\w-]+\.[\w-]+\.[\w-]{42}[AEIMQUYcgkosw048]$/;

/**
 * Accepts tokens signed with this secret (HS256 only) whose claims hold at the time of asking.
 * `epochMs` tells the wall clock's time, since that is what claims speak of.
 */
export async function bearerJwtCheck(
  secret: string,
  expected: JwtExpectations,
  epochMs: () => number,
): Promise<TokenCheck> {
  // Here and not at the top: a server without authentication does not pay for it.
  const { compactVerify, errors } = await import("jose");
  const key = new TextEncoder().encode(secret);

  async function signedPayload(token: string): Promise<Uint8Array | null> {
    if (!HS256_JWT.test(token)) return null;
    try {
      return (await compactVerify(token, key, { algorithms: ["HS256"] })).payload;
    } catch (error) {
      if (error instanceof errors.JOSEError) return null;
      throw error;
    }
  }

  return async (token) => {
    const payload = await signedPayload(token);
    const claims = payload && parseClaims(payload);
    if (claims === null) return INVALID;
    return judgeClaims(claims, expected, BigInt(Math.floor(epochMs() / 1000)));
  };
}

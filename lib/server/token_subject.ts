/**
 * Whom a bearer token that was found good speaks for: its `iss` and `sub`. All whose tokens name nobody are the same, as
 * all are who share one capability token.
 */
export function tokenSubject(authorizationHeader: string | null): string {
  const payload = /^bearer\s+[\w-]+\.([\w-]+)\./i.exec(authorizationHeader ?? "")?.[1];
  if (payload === undefined) return "";
  const { iss, sub } = JSON.parse(Buffer.from(payload, "base64url").toString()) as Record<string, unknown>;
  return typeof sub === "string" ? JSON.stringify([typeof iss === "string" ? iss : null, sub]) : "";
}

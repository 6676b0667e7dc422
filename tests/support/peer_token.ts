import { createHmac } from "node:crypto";

const HASHES: Record<string, string> = { HS256: "sha256", HS384: "sha384", HS512: "sha512" };

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A JWT written by hand, so that it can be wrong in any way; `none` and unknown algorithms leave the signature empty. */
export function jwt(
  claims: object,
  secret: string,
  header: Record<string, unknown> = { alg: "HS256" },
): string {
  const signed = `${encode(header)}.${encode(claims)}`;
  const hash = HASHES[String(header.alg)];
  const signature = hash === undefined ? "" : createHmac(hash, secret).update(signed).digest("base64url");
  return `${signed}.${signature}`;
}

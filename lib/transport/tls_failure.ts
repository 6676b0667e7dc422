const NOT_TRUSTED = "its certificate is not signed by anyone we trust";

const TEXTS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "its certificate has expired",
  CERT_NOT_YET_VALID: "its certificate is not valid yet",
  CERT_UNTRUSTED: NOT_TRUSTED,
  DEPTH_ZERO_SELF_SIGNED_CERT: NOT_TRUSTED,
  // What the system tells of an answer that is not TLS; nothing else makes a WebSocket end with it.
  EPROTO: "it does not speak TLS",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name",
  SELF_SIGNED_CERT_IN_CHAIN: NOT_TRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: NOT_TRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: NOT_TRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: NOT_TRUSTED,
};

/** Why no TLS came about, by the runtime's code for it; null where it was something else. */
export function tlsFailureText(code: string): string | null {
  return TEXTS[code] ?? null;
}

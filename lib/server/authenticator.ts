/** Says why a token is refused, or `null` when it is good. */
export type TokenCheck = (token: string) => Promise<string | null>;

export interface Authenticator {
  /** Judges an `Authorization` header. Resolves to the body of a 401 answer, or to `null` when its bearer may come in. */
  check(authorizationHeader: string | null): Promise<string | null>;
  /** Who it is that was let in with this header; absent where all are the same. */
  principalOf?(authorizationHeader: string | null): string;
}

export function bearerAuthenticator(checkToken: TokenCheck): Authenticator {
  return {
    check(header) {
      if (header === null) return Promise.resolve("missing websocket bearer token");
      const token = bearerToken(header);
      return token === "" ? Promise.resolve("invalid authorization header") : checkToken(token);
    },
  };
}

/** Only a space parts scheme and token, tabs may surround the token, and nothing outside of ASCII is one. */
function bearerToken(header: string): string {
  const isBearer = /^bearer /i.test(header) && /^[\x20-\x7e\t]*$/.test(header);
  return isBearer ? header.slice("bearer ".length).trim() : "";
}

import { describe, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import fc from "fast-check";
import { bearerJwtCheck } from "../../lib/server/bearer_jwt.ts";
import type { JwtExpectations } from "../../lib/server/jwt_claims.ts";

const SECRET = "0123456789abcdef0123456789abcdef";
const NOW = 1_800_000_000;
const INVALID = "invalid websocket jwt";
const EXPIRED = "expired websocket jwt";
const NOT_YET = "websocket jwt is not valid yet";
const WRONG_ISSUER = "websocket jwt issuer mismatch";
const WRONG_AUDIENCE = "websocket jwt audience mismatch";

type Signing = { header?: string; secret?: string; hash?: string };

/** A token of exactly these texts, so that it can be wrong in ways no library would make it. */
function jwt(payload: string | object, { header, secret = SECRET, hash = "sha256" }: Signing = {}): string {
  const parts = [
    header ?? '{"alg":"HS256","typ":"JWT"}',
    typeof payload === "string" ? payload : JSON.stringify(payload),
  ];
  const signed = parts.map((part) => Buffer.from(part).toString("base64url")).join(".");
  return `${signed}.${createHmac(hash, secret).update(signed).digest("base64url")}`;
}

/** What the server says to this token at NOW and a half second. */
async function judged(token: string, expected: Partial<JwtExpectations> = {}): Promise<string | null> {
  const check = await bearerJwtCheck(SECRET, { maxClockSkew: 30n, ...expected }, () => NOW * 1000 + 500);
  return await check(token);
}

const exp = NOW + 600;
const both = { issuer: "me", audience: "you" };

describe("a signed bearer token", () => {
  test("opens the door", async () => {
    expect(await judged(jwt({ exp }))).toBeNull();
    expect(await judged(jwt({ exp, iss: "me", aud: "you" }), both)).toBeNull();
  });

  test.each([
    "x",
    "..",
    jwt({ exp }).split(".").slice(0, 2).join("."),
    jwt({ exp }).replace(/[^.]*$/, ""),
    `${jwt({ exp })}.x`,
    `${jwt({ exp })}=`,
    `${jwt({ exp })}A`,
    `.${jwt({ exp })}`,
    jwt({ exp }).replace(".", ". "),
  ])("is refused when malformed: %s", async (token) => {
    expect(await judged(token)).toBe(INVALID);
  });

  test("has one spelling of its signature", async () => {
    const token = jwt({ exp });
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const sameBytes = token.slice(0, -1) + alphabet[alphabet.indexOf(token.slice(-1)) + 1];
    expect(Buffer.from(sameBytes.split(".")[2], "base64url")).toEqual(
      Buffer.from(token.split(".")[2], "base64url"),
    );
    expect(await judged(sameBytes)).toBe(INVALID);
  });

  // A failure prints fast-check's seed.
  test("is refused and nothing worse, whatever it is made of", async () => {
    const part = fc.oneof(
      fc.string().map((text) => Buffer.from(text).toString("base64url")),
      fc.json().map((text) => Buffer.from(text).toString("base64url")),
      fc.stringMatching(/^[\w-]{0,50}$/),
      fc.constant("A".repeat(43)),
      fc.constant(Buffer.from('{"alg":"HS256"}').toString("base64url")),
    );
    await fc.assert(fc.asyncProperty(part, part, part, async (...parts) => {
      expect(await judged(parts.join("."))).toBe(INVALID);
    }));
  });

  test.each<[string, Signing]>([
    ["another secret", { secret: "z".repeat(32) }],
    ["no algorithm", { header: '{"alg":"none"}' }],
    ["HS384", { header: '{"alg":"HS384"}', hash: "sha384" }],
    ["HS512", { header: '{"alg":"HS512"}', hash: "sha512" }],
    ["HS384 said to be HS256", { hash: "sha384" }],
    ["HS256 said to be HS512", { header: '{"alg":"HS512"}' }],
    ["a lower-case algorithm", { header: '{"alg":"hs256"}' }],
    ["an algorithm of the wrong type", { header: '{"alg":5}' }],
    ["a header without algorithm", { header: "{}" }],
    ["a header that is no object", { header: '["JWT","HS256"]' }],
    ["a header that is no JSON", { header: '{"alg":"HS256"}x' }],
    ["a critical extension we do not know", { header: '{"alg":"HS256","crit":["x"],"x":1}' }],
  ])("is refused when signed with %s", async (_, signing) => {
    expect(await judged(jwt({ exp }, signing))).toBe(INVALID);
  });

  test.each([
    '{"alg":"HS256"}',
    '{"alg":"HS256","typ":"at+jwt"}',
    '{"alg":"HS256","kid":"x"}',
    ' {"alg":"HS256"} ',
  ])(
    "may have the header %s",
    async (header) => expect(await judged(jwt({ exp }, { header }))).toBeNull(),
  );

  test.each([
    "",
    "{",
    "[1]",
    "null",
    '"x"',
    "{}",
    `{"exp":${exp}}x`,
    `\ufeff{"exp":${exp}}`,
    `{"exp":"${exp}"}`,
    '{"exp":null}',
    '{"exp":true}',
    `{"exp":${exp}.0}`,
    `{"exp":${exp}.5}`,
    `{"exp":${exp}e0}`,
    '{"exp":-0}',
    '{"exp":9223372036854775808}',
    '{"exp":-9223372036854775809}',
    `{"exp":1${"0".repeat(400)}}`,
    `{"a":{"exp":${exp}}}`,
    `{"exp":${exp},"nbf":1.0}`,
    `{"exp":${exp},"nbf":"1"}`,
    `{"exp":${exp},"nbf":99999999999999999999}`,
    `{"exp":${exp},"iss":5}`,
    `{"exp":${exp},"iss":["me"]}`,
    `{"exp":${exp},"aud":5}`,
    `{"exp":${exp},"aud":{}}`,
    `{"exp":${exp},"aud":["you",1]}`,
    `{"exp":1,"aud":5}`,
  ])("is refused with the payload %s", async (payload) => {
    expect(await judged(jwt(payload))).toBe(INVALID);
  });

  test.each([
    '{"exp":9223372036854775807}',
    `{"exp":${exp},"nbf":null,"iss":null,"aud":null}`,
    `{"exp":${exp},"nbf":-9223372036854775808}`,
    `{"exp":${exp},"iat":"x","sub":5,"jti":{}}`,
    `{"exp":${exp},"iat":${NOW + 10_000}}`,
    `{"exp":${exp},"a":{"exp":1.5}}`,
    ` {"\\u0065xp":${exp}}\n`,
  ])("is accepted with the payload %s", async (payload) => {
    expect(await judged(jwt(payload))).toBeNull();
  });

  test.each([
    [{ exp: NOW - 30 }, null],
    [{ exp: NOW - 31 }, EXPIRED],
    [{ exp: -1 }, EXPIRED],
    [{ exp, nbf: NOW + 30 }, null],
    [{ exp, nbf: NOW + 31 }, NOT_YET],
  ])("is given 30 s for clocks that differ: %j", async (claims, answer) => {
    expect(await judged(jwt(claims))).toBe(answer);
  });

  test("is given as much skew as was configured", async () => {
    expect(await judged(jwt({ exp: NOW - 1 }), { maxClockSkew: 0n })).toBe(EXPIRED);
    expect(await judged(jwt('{"exp":-9223372036854775808}'), { maxClockSkew: 2n ** 63n - 1n })).toBe(EXPIRED);
    expect(await judged(jwt({ exp: 1 }), { maxClockSkew: 2n ** 63n - 1n })).toBeNull();
  });

  test.each([
    [{ iss: "me", aud: "you" }, null],
    [{ iss: "me", aud: ["he", "you"] }, null],
    [{ iss: "ME", aud: "you" }, WRONG_ISSUER],
    [{ aud: "you" }, WRONG_ISSUER],
    [{ iss: null, aud: "you" }, WRONG_ISSUER],
    [{ iss: "me", aud: "YOU" }, WRONG_AUDIENCE],
    [{ iss: "me", aud: [] }, WRONG_AUDIENCE],
    [{ iss: "me", aud: ["he"] }, WRONG_AUDIENCE],
    [{ iss: "me" }, WRONG_AUDIENCE],
    [{ iss: "he", aud: "he" }, WRONG_ISSUER],
    [{ iss: "he", aud: "he", nbf: NOW + 100 }, NOT_YET],
    [{ iss: "he", aud: "he", nbf: NOW + 100, exp: NOW - 100 }, EXPIRED],
    [{ iss: "he", aud: 5, nbf: NOW + 100, exp: NOW - 100 }, INVALID],
  ])("is held against issuer and audience last: %j", async (claims, answer) => {
    expect(await judged(jwt({ exp, ...claims }), both)).toBe(answer);
  });
});

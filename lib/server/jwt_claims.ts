/** The claims of a token that decide whether it opens the door. Times are whole seconds since 1970. */
export interface JwtClaims {
  exp: bigint;
  nbf?: bigint;
  iss?: string;
  aud?: string | string[];
}

export interface JwtExpectations {
  issuer?: string;
  audience?: string;
  /** In seconds. */
  maxClockSkew: bigint;
}

/** What is wrong with these claims at this second, or `null`. */
export function judgeClaims(claims: JwtClaims, expected: JwtExpectations, now: bigint): string | null {
  const { exp, nbf, iss, aud } = claims;
  if (exp + expected.maxClockSkew < now) return "expired websocket jwt";
  if (nbf !== undefined && nbf - expected.maxClockSkew > now) return "websocket jwt is not valid yet";
  if (expected.issuer !== undefined && iss !== expected.issuer) return "websocket jwt issuer mismatch";
  const audiences = Array.isArray(aud) ? aud : [aud];
  if (expected.audience !== undefined && !audiences.includes(expected.audience)) {
    return "websocket jwt audience mismatch";
  }
  return null;
}

/** Reads a token's payload. `null` when it is no object, has no whole `exp`, or a claim we know has the wrong type. */
export function parseClaims(payload: Uint8Array): JwtClaims | null {
  const parsed = parseObject(payload);
  if (parsed === null) return null;
  const { exp, nbf } = parsed.integers;
  const { iss, aud, nbf: written } = parsed.object;
  if (exp === undefined || (nbf === undefined && !isAbsent(written))) return null;
  if (!(isAbsent(iss) || isString(iss)) || !(isAbsent(aud) || isAudience(aud))) return null;
  return { exp, nbf, iss: iss ?? undefined, aud: aud ?? undefined };
}

type Integers = { exp?: bigint; nbf?: bigint };
type ParsedObject = { object: Record<string, unknown>; integers: Integers };

/** An object, and its times as they were written: a double would take 1.0 for an integer, and round the large ones. */
function parseObject(bytes: Uint8Array): ParsedObject | null {
  const integersOf = new Map<unknown, Integers>();
  function noteInteger(this: unknown, key: string, value: unknown, context?: { source?: string }): unknown {
    if (key === "exp" || key === "nbf") {
      integersOf.set(this, { ...integersOf.get(this), [key]: readInteger(context?.source) });
    }
    return value;
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    const object: unknown = JSON.parse(text, noteInteger);
    if (!isObject(object)) return null;
    return { object, integers: integersOf.get(object) ?? {} };
  } catch {
    return null; // What is not JSON in UTF-8 is no set of claims, whichever of the two it fails.
  }
}

function readInteger(source: string | undefined): bigint | undefined {
  // To Codex -0 is no integer. 19 digits hold every 64-bit one, and keep BigInt cheap.
  if (source === undefined || source === "-0" || !/^-?\d{1,19}$/.test(source)) return undefined;
  const integer = BigInt(source);
  return BigInt.asIntN(64, integer) === integer ? integer : undefined;
}

const isAbsent = (value: unknown): value is null | undefined => value === null || value === undefined;
const isString = (value: unknown): value is string => typeof value === "string";
const isAudience = (value: unknown): value is string | string[] =>
  isString(value) || (Array.isArray(value) && value.every(isString));
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

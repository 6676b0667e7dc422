import { describe, expect, test } from "bun:test";
import { AuthError } from "../../lib/server/auth_error.ts";
import { type AuthFlags, readAuthSettings, refuseAuthOverStdio } from "../../lib/server/auth_settings.ts";

const DIGEST = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";

function refusalOf(flags: AuthFlags): AuthError {
  try {
    readAuthSettings(flags);
  } catch (error) {
    if (error instanceof AuthError) return error;
    throw error;
  }
  throw new Error(`${JSON.stringify(flags)} was accepted`);
}

describe("readAuthSettings()", () => {
  test("lets everybody in without flags", () => {
    expect(readAuthSettings({})).toBeNull();
  });

  const capability = { mode: "capability-token" };
  const bearer = { mode: "signed-bearer-token" };
  const NO_MODE =
    "websocket auth flags require `--ws-auth capability-token` or `--ws-auth signed-bearer-token`";
  const NOT_FOR_CAPABILITY =
    "`--ws-shared-secret-file`, `--ws-issuer`, `--ws-audience`, and `--ws-max-clock-skew-seconds` require `--ws-auth signed-bearer-token`";
  const NOT_FOR_BEARER =
    "`--ws-token-file` and `--ws-token-sha256` require `--ws-auth capability-token`, not `signed-bearer-token`";
  const BAD_DIGEST = "--ws-token-sha256 must be a 64-character hex SHA-256 digest";
  test.each<[AuthFlags, string]>([
    [{ tokenFile: "f" }, NO_MODE],
    [{ tokenSha256: DIGEST }, NO_MODE],
    [{ sharedSecretFile: "f" }, NO_MODE],
    [{ issuer: "" }, NO_MODE],
    [{ audience: "x" }, NO_MODE],
    [{ maxClockSkewSeconds: "30" }, NO_MODE],
    [
      capability,
      "`--ws-token-file` or `--ws-token-sha256` is required when `--ws-auth capability-token` is set",
    ],
    [
      { ...capability, tokenFile: "f", tokenSha256: "zz" },
      "`--ws-token-file` and `--ws-token-sha256` are mutually exclusive",
    ],
    [{ ...capability, tokenSha256: "" }, BAD_DIGEST],
    [{ ...capability, tokenSha256: DIGEST + "a" }, BAD_DIGEST],
    [{ ...capability, tokenSha256: "g" + DIGEST.slice(1) }, BAD_DIGEST],
    [{ ...capability, sharedSecretFile: "f" }, NOT_FOR_CAPABILITY],
    [{ ...capability, issuer: "x" }, NOT_FOR_CAPABILITY],
    [{ ...capability, audience: "x" }, NOT_FOR_CAPABILITY],
    [{ ...capability, tokenFile: "f", maxClockSkewSeconds: "1" }, NOT_FOR_CAPABILITY],
    [{ ...capability, tokenFile: "f", tokenSha256: DIGEST, issuer: "x" }, NOT_FOR_CAPABILITY],
    [bearer, "`--ws-shared-secret-file` is required when `--ws-auth signed-bearer-token` is set"],
    [{ ...bearer, tokenFile: "f" }, NOT_FOR_BEARER],
    [{ ...bearer, sharedSecretFile: "f", tokenSha256: "zz" }, NOT_FOR_BEARER],
  ])("refuses %j", (flags, message) => {
    expect(refusalOf(flags)).toMatchObject({ code: "settings", message });
  });

  test.each<AuthFlags>([
    { mode: "nope" },
    { mode: "" },
    { mode: "Capability-Token", tokenFile: "f" },
    { ...capability, tokenFile: "" },
    { ...bearer, sharedSecretFile: "" },
    ...["", "-1", "1.5", " 5", "5\n", "x", "1e3", "18446744073709551616"].map((maxClockSkewSeconds) => ({
      ...bearer,
      sharedSecretFile: "f",
      maxClockSkewSeconds,
    })),
  ])("calls %j wrong usage", (flags) => {
    expect(refusalOf(flags).code).toBe("usage");
  });

  test("takes a digest in either case and with white space around it", () => {
    const sha256 = DIGEST.toUpperCase();
    expect(readAuthSettings({ ...capability, tokenSha256: ` ${sha256}\n` }))
      .toEqual({ mode: "capability-token", source: { sha256 } });
  });

  test("reads the settings of signed tokens, with 30 s of clock skew unless told otherwise", () => {
    const flags = { ...bearer, sharedSecretFile: "f" };
    const settings = { mode: "signed-bearer-token", secretFile: "f" } as const;
    expect(readAuthSettings(flags)).toEqual({ ...settings, maxClockSkew: 30n });
    expect(readAuthSettings({ ...flags, issuer: " me ", audience: "you", maxClockSkewSeconds: "+05" }))
      .toEqual({ ...settings, issuer: "me", audience: "you", maxClockSkew: 5n });
  });

  test("reads a blank issuer or audience as none", () => {
    expect(readAuthSettings({ ...bearer, sharedSecretFile: "f", issuer: "", audience: "  " }))
      .toEqual({ mode: "signed-bearer-token", secretFile: "f", maxClockSkew: 30n });
  });
});

test("refuseAuthOverStdio() lets stdio serve only without authentication", () => {
  refuseAuthOverStdio(null);
  const settings = readAuthSettings({ mode: "capability-token", tokenFile: "f" });
  expect(() => refuseAuthOverStdio(settings))
    .toThrow("WebSocket auth requires a WebSocket listener, not stdio");
});

import { AuthError } from "./auth_error.ts";

/** The `--ws-*` flags as they were written; `undefined` where one was not. */
export interface AuthFlags {
  /** `--ws-auth` */
  mode?: string;
  /** `--ws-token-file` */
  tokenFile?: string;
  /** `--ws-token-sha256` */
  tokenSha256?: string;
  /** `--ws-shared-secret-file` */
  sharedSecretFile?: string;
  /** `--ws-issuer` */
  issuer?: string;
  /** `--ws-audience` */
  audience?: string;
  /** `--ws-max-clock-skew-seconds` */
  maxClockSkewSeconds?: string;
}

export type AuthSettings =
  | { mode: "capability-token"; source: { file: string } | { sha256: string } }
  | {
    mode: "signed-bearer-token";
    secretFile: string;
    issuer?: string;
    audience?: string;
    maxClockSkew: bigint;
  };

const DEFAULT_CLOCK_SKEW_S = 30n;
const LAST_U64 = 2n ** 64n - 1n;

/**
 * The rules between the flags; reads no file. `null` means that everybody may come in.
 * Throws an AuthError: `usage` for a value that no rule could accept, `settings` for a broken rule.
 */
export function readAuthSettings(flags: AuthFlags): AuthSettings | null {
  const { mode } = flags;
  refuseBadValues(flags);
  const hasTokenFlag = flags.tokenFile !== undefined || flags.tokenSha256 !== undefined;
  const hasJwtFlag = [flags.sharedSecretFile, flags.issuer, flags.audience, flags.maxClockSkewSeconds]
    .some((flag) => flag !== undefined);
  if (mode === undefined) {
    if (!hasTokenFlag && !hasJwtFlag) return null;
    throw broken(
      "websocket auth flags require `--ws-auth capability-token` or `--ws-auth signed-bearer-token`",
    );
  }
  if (mode === "capability-token") {
    if (hasJwtFlag) {
      throw broken(
        "`--ws-shared-secret-file`, `--ws-issuer`, `--ws-audience`, and `--ws-max-clock-skew-seconds` require `--ws-auth signed-bearer-token`",
      );
    }
    return { mode, source: tokenSource(flags) };
  }
  if (mode !== "signed-bearer-token") {
    throw usage(
      `invalid value '${mode}' for '--ws-auth <MODE>': expected capability-token or signed-bearer-token`,
    );
  }
  if (hasTokenFlag) {
    throw broken(
      "`--ws-token-file` and `--ws-token-sha256` require `--ws-auth capability-token`, not `signed-bearer-token`",
    );
  }
  if (flags.sharedSecretFile === undefined) {
    throw broken("`--ws-shared-secret-file` is required when `--ws-auth signed-bearer-token` is set");
  }
  return {
    mode,
    secretFile: flags.sharedSecretFile,
    // Codex reads a blank one as not given, and so do the unit files written for it.
    issuer: flags.issuer?.trim() || undefined,
    audience: flags.audience?.trim() || undefined,
    maxClockSkew: clockSkew(flags.maxClockSkewSeconds),
  };
}

/** Stdin has no header to carry a token, so asking for both is a mistake somebody should hear of. */
export function refuseAuthOverStdio(settings: AuthSettings | null): void {
  if (settings !== null) throw broken("WebSocket auth requires a WebSocket listener, not stdio");
}

function tokenSource({ tokenFile, tokenSha256 }: AuthFlags): { file: string } | { sha256: string } {
  if (tokenFile !== undefined && tokenSha256 !== undefined) {
    throw broken("`--ws-token-file` and `--ws-token-sha256` are mutually exclusive");
  }
  if (tokenFile !== undefined) return { file: tokenFile };
  if (tokenSha256 === undefined) {
    throw broken(
      "`--ws-token-file` or `--ws-token-sha256` is required when `--ws-auth capability-token` is set",
    );
  }
  const sha256 = tokenSha256.trim();
  if (sha256.length !== 64 || /[^\da-fA-F]/.test(sha256)) {
    throw broken("--ws-token-sha256 must be a 64-character hex SHA-256 digest");
  }
  return { sha256 };
}

/** What the real command line refuses before it looks at any rule. */
function refuseBadValues(flags: AuthFlags): void {
  const required = [["--ws-auth <MODE>", flags.mode], ["--ws-token-file <PATH>", flags.tokenFile], [
    "--ws-shared-secret-file <PATH>",
    flags.sharedSecretFile,
  ]];
  for (const [flag, value] of required) {
    if (value === "") throw usage(`a value is required for '${flag}' but none was supplied`);
  }
  clockSkew(flags.maxClockSkewSeconds);
}

function clockSkew(text: string | undefined): bigint {
  if (text === undefined) return DEFAULT_CLOCK_SKEW_S;
  const seconds = /^\+?(\d+)$/.exec(text)?.[1];
  if (seconds === undefined || BigInt(seconds) > LAST_U64) {
    throw usage(
      `invalid value '${text}' for '--ws-max-clock-skew-seconds <SECONDS>': expected whole seconds`,
    );
  }
  return BigInt(seconds);
}

const broken = (message: string) => new AuthError("settings", message);
const usage = (message: string) => new AuthError("usage", message);

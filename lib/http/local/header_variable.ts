import { HttpError } from "../http_error.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Secrets of the place itself: a caller may use what was put there for requests, and not these. */
const PROTECTED: ReadonlySet<string> = new Set([
  "OPENAI_API_KEY",
  "CODEX_API_KEY",
  "CODEX_ACCESS_TOKEN",
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "GOOGLE_APPLICATION_CREDENTIALS",
  // Ours, and those of the programs that speak to us.
  "EXEC_SERVER_TOKEN",
  "EXEC_SERVER_TOKEN_FILE",
  "CODEX_EXEC_SERVER_NOISE_AUTH_TOKEN",
]);

/** What a variable adds to a header. Throws HttpError `invalid`; the text names the variable, never what it holds. */
export function withVariable(header: string, variable: string, environment: Environment): string {
  if (PROTECTED.has(variable.toUpperCase())) {
    throw refused(`header ${header} cannot use executor environment variable ${variable}`);
  }
  const value = Object.hasOwn(environment, variable) ? environment[variable] : undefined;
  if (value === undefined) {
    throw refused(`header ${header} requires executor environment variable ${variable}`);
  }
  if (value === "") {
    throw refused(`header ${header} requires a non-empty executor environment variable ${variable}`);
  }
  return value;
}

function refused(message: string): HttpError {
  return new HttpError("invalid", message);
}

/** What can go wrong with a place, before any process is asked about. */
export type EnvironmentErrorCode =
  | "protocol" // what was configured or asked makes no sense
  | "registry" // only a registry could make sense of it
  | "attempt" // connecting failed, for everybody who shared the attempt
  | "disconnected" // there was a connection
  | "unavailable"; // there will never be one, or not in this way

/** What each kind is called where a user reads it; clients of Codex look for these words. */
const PREFIXES: Readonly<Record<EnvironmentErrorCode, string>> = {
  protocol: "exec-server protocol error: ",
  registry: "environment registry configuration error: ",
  attempt: "exec-server connection attempt failed: ",
  disconnected: "",
  unavailable: "",
};

export class EnvironmentError extends Error {
  override readonly name = "EnvironmentError";
  /** `detail` is the message without the name of its kind. */
  constructor(readonly code: EnvironmentErrorCode, readonly detail: string, options?: ErrorOptions) {
    super(`${PREFIXES[code]}${detail}`, options);
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Why authentication could not be set up. `usage`: the command line is wrong (exit 2); `settings`: the flags contradict
 * each other; `secret`: a file with a secret cannot be used (both exit 1).
 */
export type AuthErrorCode = "usage" | "settings" | "secret";

export class AuthError extends Error {
  override readonly name = "AuthError";

  constructor(readonly code: AuthErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

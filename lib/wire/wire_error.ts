/** The protocol's error codes. */
export const INVALID_REQUEST = -32600;
export const UNKNOWN_METHOD = -32601;
export const INVALID_PARAMS = -32602;
export const INTERNAL_ERROR = -32603;
export const NOT_FOUND = -32004;
export const ALREADY_ATTACHED = -32010;

/** An error as the peer is told it. */
export class WireError extends Error {
  override readonly name = "WireError";
  constructor(readonly code: number, message: string, readonly data?: object) {
    super(message);
  }
}

import { ProcessError, type ProcessErrorCode } from "../process/process_error.ts";
import { DecodeError } from "../wire/decode_error.ts";
import { INTERNAL_ERROR, INVALID_PARAMS, INVALID_REQUEST, WireError } from "../wire/wire_error.ts";

const PROCESS_CODES: Readonly<Record<ProcessErrorCode, number>> = {
  duplicate: INVALID_REQUEST,
  unknown: INVALID_REQUEST,
  invalid: INVALID_PARAMS,
  spawn: INTERNAL_ERROR,
  stdin: INTERNAL_ERROR,
  signal: INTERNAL_ERROR,
  unsupported: INTERNAL_ERROR,
};

/** Whatever went wrong, as the peer is told it: the one table from our errors to the protocol's codes. */
export function inWireWords(error: unknown): WireError {
  if (error instanceof WireError) return error;
  if (error instanceof ProcessError) {
    return new WireError(PROCESS_CODES[error.code], error.message, error.failure);
  }
  if (error instanceof DecodeError) return new WireError(INVALID_PARAMS, error.message);
  return new WireError(INTERNAL_ERROR, error instanceof Error ? error.message : String(error));
}

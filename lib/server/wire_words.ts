import { FsError } from "../fs/fs_error.ts";
import { HttpError, type HttpErrorCode } from "../http/http_error.ts";
import { ProcessError, type ProcessErrorCode } from "../process/process_error.ts";
import { DecodeError } from "../wire/decode_error.ts";
import { INTERNAL_ERROR, INVALID_PARAMS, INVALID_REQUEST, NOT_FOUND, WireError } from "../wire/wire_error.ts";

const PROCESS_CODES: Readonly<Record<ProcessErrorCode, number>> = {
  duplicate: INVALID_REQUEST,
  full: INVALID_REQUEST,
  unknown: INVALID_REQUEST,
  invalid: INVALID_PARAMS,
  spawn: INTERNAL_ERROR,
  cancelled: INVALID_REQUEST,
  unenforceable: INVALID_PARAMS,
  stdin: INTERNAL_ERROR,
  signal: INTERNAL_ERROR,
  unsupported: INTERNAL_ERROR,
  lost: INTERNAL_ERROR,
};

const HTTP_WORDS: Readonly<Record<HttpErrorCode, { code: number; prefix: string }>> = {
  invalid: { code: INVALID_PARAMS, prefix: "http/request " },
  failed: { code: INTERNAL_ERROR, prefix: "http/request failed: " },
  body: { code: INTERNAL_ERROR, prefix: "failed to read http/request response body: " },
};

/** Whatever went wrong, as the peer is told it: the one table from our errors to the protocol's codes. */
export function inWireWords(error: unknown): WireError {
  if (error instanceof WireError) return error;
  if (error instanceof ProcessError) {
    return new WireError(PROCESS_CODES[error.code], error.message, error.failure);
  }
  if (error instanceof FsError) return new WireError(fsCode(error), error.message);
  if (error instanceof HttpError) {
    const { code, prefix } = HTTP_WORDS[error.code];
    return new WireError(code, prefix + error.message);
  }
  if (error instanceof DecodeError) return new WireError(INVALID_PARAMS, error.message);
  return new WireError(INTERNAL_ERROR, error instanceof Error ? error.message : String(error));
}

const ERRNO_CODES: Readonly<Record<string, number>> = {
  ENOENT: NOT_FOUND,
  EACCES: INVALID_REQUEST,
  EINVAL: INVALID_REQUEST,
  EPERM: INVALID_REQUEST,
};

function fsCode({ code, errno }: FsError): number {
  if (code === "system") return ERRNO_CODES[errno ?? ""] ?? INTERNAL_ERROR;
  return code === "refused" ? INVALID_REQUEST : INTERNAL_ERROR;
}

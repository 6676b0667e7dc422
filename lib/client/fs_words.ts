import { FsError } from "../fs/fs_error.ts";
import { CallError } from "../rpc/call_error.ts";
import { NOT_FOUND, UNKNOWN_METHOD, type WireError } from "../wire/wire_error.ts";
import { inClientWords } from "./client_error.ts";
import { errnoOf } from "./linux_errno.ts";

// What a server said no to, in the words in which files of this machine would have said it.

/**
 * Why a call about files came to nothing. `ECONNRESET`: it was sent, and whether it was done is unknown; it is never
 * sent again. `ENOTCONN`: it was not sent. `EPROTO`: the answer is none.
 */
export function fsErrorOf(error: unknown): FsError {
  if (error instanceof FsError) return error;
  if (error instanceof CallError && error.code === "limit") return new FsError("refused", error.message);
  const { code, message, rejection } = inClientWords(error);
  if (rejection !== null) return refusal(rejection);
  return new FsError("lost", message, code === "protocol" ? "EPROTO" : "ECONNRESET");
}

/** There is no connection, and there will be none. */
export function notConnected(error: unknown): FsError {
  return new FsError("lost", inClientWords(error).message, "ENOTCONN");
}

/** The same of an open file: one that the server does not know was closed by it. */
export function openFileErrorOf(error: unknown): FsError {
  const { rejection } = inClientWords(error);
  if (rejection?.code === NOT_FOUND) return new FsError("system", rejection.message, "EBADF");
  return fsErrorOf(error);
}

function refusal({ code, message }: WireError): FsError {
  const number = /\(os error (\d+)\)$/.exec(message)?.[1];
  if (number !== undefined) return new FsError("system", message, errnoOf(Number(number)));
  if (code === NOT_FOUND) return new FsError("system", message, "ENOENT");
  const isUnsupported = code === UNKNOWN_METHOD || message.endsWith(" unsupported");
  return new FsError(isUnsupported ? "unsupported" : "refused", message);
}

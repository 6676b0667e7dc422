import { HttpError } from "../http/http_error.ts";
import { INVALID_PARAMS, type WireError } from "../wire/wire_error.ts";
import { inClientWords } from "./client_error.ts";

const REFUSED = "http/request ";
const FAILED = "http/request failed: ";
const BROKE_OFF = "failed to read http/request response body: ";

/** Why a request has no response, in the words in which it would have failed if it had been made from here. */
export function httpErrorOf(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  const { message, rejection } = inClientWords(error);
  return rejection === null ? new HttpError("failed", message) : refusal(rejection);
}

function refusal({ code, message }: WireError): HttpError {
  if (message.startsWith(FAILED)) return new HttpError("failed", message.slice(FAILED.length));
  if (message.startsWith(BROKE_OFF)) return new HttpError("body", message.slice(BROKE_OFF.length));
  if (code !== INVALID_PARAMS) return new HttpError("failed", message);
  return new HttpError("invalid", message.startsWith(REFUSED) ? message.slice(REFUSED.length) : message);
}

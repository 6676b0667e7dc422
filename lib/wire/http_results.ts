import * as z from "zod/mini";
import { decodeBase64 } from "./base64.ts";
import { decodeParams } from "./decode.ts";
import { DecodeError } from "./decode_error.ts";
import { flag, later, nullable, struct, text, u16, u64 } from "./message_fields.ts";
import { type HttpRequestResult, MAX_DELTA_BYTES } from "./http_messages.ts";

// What a server answers to `http/request`, and tells of the body after it. Each throws a DecodeError.

const header = later(() => struct("HttpHeader", { name: text(), value: text() }));

const httpRequestResult = later(() =>
  struct("HttpRequestResponse", {
    status: u16(),
    headers: z.array(header()),
    bodyBase64: text(),
  })
);

const bodyDelta = later(() =>
  struct("HttpRequestBodyDeltaNotification", {
    requestId: text(),
    seq: u64(),
    deltaBase64: text(),
    done: flag(),
    error: nullable(text()),
  })
);

export interface BodyDelta {
  readonly requestId: string;
  /** From 1, without holes. */
  readonly seq: number;
  readonly bytes: Uint8Array;
  readonly done: boolean;
  /** Why the body broke off; only in the last one. */
  readonly error: string | null;
}

export const readHttpRequestAnswer = (result: unknown): HttpRequestResult =>
  decodeParams(httpRequestResult(), result);

export function readBodyDelta(params: unknown): BodyDelta {
  const { deltaBase64, ...delta } = decodeParams(bodyDelta(), params);
  const bytes = decodeBase64(deltaBase64);
  if (bytes.length > MAX_DELTA_BYTES) throw new DecodeError("invalid length of `deltaBase64`");
  return { ...delta, bytes };
}

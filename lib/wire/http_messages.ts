import { encodeBase64 } from "./base64.ts";
import { flag, later, nullable, optional, struct, text, u64, variants } from "./message_fields.ts";
import { listOf } from "./message_list.ts";

const header = later(() =>
  struct("HttpHeader", { name: text(), value: text(), valueEnvVar: nullable(text()) })
);

export const httpRequestParams = later(() =>
  struct("HttpRequestParams", {
    method: text(),
    url: text(),
    headers: optional(listOf(header()), []),
    bodyBase64: nullable(text()),
    timeoutMs: nullable(u64()),
    redirectPolicy: optional(variants("follow", "stop"), "follow"),
    requestId: text(),
    streamResponse: optional(flag(), false),
  })
);

export interface HttpRequestResult {
  readonly status: number;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  /** Empty for a streamed response: the body follows in notifications. */
  readonly bodyBase64: string;
}

/** The decoded bytes of one notification. */
export const MAX_DELTA_BYTES = 1024 * 1024;

// The notifications of a body, put together by hand like those of a process. `requestId` comes as JSON.

export function writeBodyDelta(requestId: string, seq: number, bytes: Uint8Array): string {
  return `{"method":"http/request/bodyDelta","params":{"requestId":${requestId},"seq":${seq},` +
    `"deltaBase64":"${encodeBase64(bytes)}","done":false,"error":null}}`;
}

/** The last one of a body, whether it came to its end or not. */
export function writeBodyEnd(requestId: string, seq: number, error: string | null): string {
  return `{"method":"http/request/bodyDelta","params":{"requestId":${requestId},"seq":${seq},` +
    `"deltaBase64":"","done":true,"error":${JSON.stringify(error)}}}`;
}

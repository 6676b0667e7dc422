import { MalformedMessage, parseMessage } from "./parse_json.ts";
import type { WireError } from "./wire_error.ts";

/**
 * An id as it was written in JSON, quotes and all: echoed as it came, so that integers beyond a double's
 * reach stay what they are.
 */
export type RequestId = string & { readonly requestId: true };

/** The answer to a message whose own id cannot be told. */
export const NO_REQUEST = "-1" as RequestId;

export type Inbound =
  | { readonly kind: "request"; readonly id: RequestId; readonly method: string; readonly params: unknown }
  | { readonly kind: "notification"; readonly method: string; readonly params: unknown }
  | { readonly kind: "result"; readonly id: RequestId; readonly result: unknown }
  | { readonly kind: "error"; readonly id: RequestId; readonly error: unknown };

/** Reads one message. Throws MalformedMessage. */
export function readEnvelope(text: string): Inbound {
  const { value, idSource } = parseMessage(text);
  if ("method" in value) {
    const { method, params } = value;
    if (typeof method !== "string") throw new MalformedMessage(wrongType(method, "a string"));
    checkTrace(value["trace"]);
    if (!("id" in value)) return { kind: "notification", method, params };
    return { kind: "request", id: readId(value["id"], idSource), method, params };
  }
  if ("result" in value) {
    return { kind: "result", id: requireId(value, idSource), result: value["result"] };
  }
  if (!("error" in value)) throw new MalformedMessage("missing field `error`");
  return { kind: "error", id: requireId(value, idSource), error: value["error"] };
}

export function writeRequest(id: number, method: string, params: unknown): string {
  return `{"id":${id},"method":${JSON.stringify(method)},"params":${JSON.stringify(params ?? null)}}`;
}

export function writeNotification(method: string, params?: unknown): string {
  if (params === undefined) return `{"method":${JSON.stringify(method)}}`;
  return `{"method":${JSON.stringify(method)},"params":${JSON.stringify(params)}}`;
}

/** A result that is JSON already: looking through megabytes of base64 for what to escape costs more than to send them. */
export class WrittenResult<Result> {
  /** Only a type: what it says. */
  declare readonly result?: Result;
  constructor(readonly text: string) {}
}

export function writeResult(id: RequestId, result: unknown): string {
  if (result instanceof WrittenResult) return `{"id":${id},"result":${result.text}}`;
  return `{"id":${id},"result":${JSON.stringify(result)}}`;
}

export function writeError(id: RequestId, { code, message, data }: WireError): string {
  return `{"error":${JSON.stringify({ code, message, data })},"id":${id}}`;
}

function requireId(value: Record<string, unknown>, source: string | undefined): RequestId {
  if (!("id" in value)) throw new MalformedMessage("missing field `id`");
  return readId(value["id"], source);
}

const I64_MIN = -(2n ** 63n);
const I64_MAX = 2n ** 63n - 1n;

function readId(id: unknown, source: string | undefined): RequestId {
  if (typeof id === "string") return (source ?? JSON.stringify(id)) as RequestId;
  if (Number.isSafeInteger(id)) return (id === 0 ? "0" : source ?? String(id)) as RequestId;
  // What is no integer, or fits neither i64 nor u64, is NaN by now, so the digits to count are few.
  if (typeof id === "number" && !Number.isNaN(id) && source !== undefined && fitsI64(source)) {
    return source as RequestId;
  }
  throw new MalformedMessage("data did not match any variant of a request id");
}

function fitsI64(source: string): boolean {
  const exact = BigInt(source);
  return exact >= I64_MIN && exact <= I64_MAX;
}

/** Trace context parents telemetry and is otherwise nobody's business; a wrong type is a broken message. */
function checkTrace(trace: unknown): void {
  if (trace === undefined || trace === null) return;
  if (typeof trace !== "object" || Array.isArray(trace)) {
    throw new MalformedMessage(wrongType(trace, "a trace context"));
  }
  const { traceparent, tracestate } = trace as Record<string, unknown>;
  for (const value of [traceparent, tracestate]) {
    if (value === undefined || value === null || typeof value === "string") continue;
    throw new MalformedMessage(wrongType(value, "a string"));
  }
}

function wrongType(value: unknown, expected: string): string {
  const type = value === null
    ? "null"
    : Array.isArray(value)
    ? "sequence"
    : typeof value === "object"
    ? "map"
    : typeof value;
  return `invalid type: ${type}, expected ${expected}`;
}

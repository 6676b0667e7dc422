import { parseAround } from "./json_long_string.ts";
import { scanMessage, type ScanResult } from "./json_scan.ts";

/** A message that is not JSON, or more of it than is accepted. Its text is the detail for the peer. */
export class MalformedMessage extends Error {
  override name = "MalformedMessage";
}

export interface ParsedMessage {
  value: Record<string, unknown>;
  /** The source of the message's `id`, because a double does not hold every integer it may be. */
  idSource?: string;
}

/**
 * Parses one message. A number that is no integer as written, or fits neither i64 nor u64, becomes NaN,
 * so that whoever wants an integer refuses it (`1.0` is no integer on this wire).
 * Throws MalformedMessage.
 */
export function parseMessage(text: string): ParsedMessage {
  const scan = scanMessage(text);
  if (scan.problem !== undefined) {
    throw new MalformedMessage(scan.problem + position(text, scan.problemAt ?? 0));
  }
  const value = parse(text, scan);
  if (!isObject(value)) throw new MalformedMessage("expected a JSON-RPC object");
  return { value, idSource: scan.idSource };
}

function parse(text: string, { unusualNumbers, longString }: ScanResult): unknown {
  const reviver = unusualNumbers ? refuseInexactNumbers : undefined;
  try {
    if (longString === undefined) return JSON.parse(text, reviver);
    return parseAround(longString, text, (rest) => JSON.parse(rest, reviver));
  } catch {
    // The parser's own words change with the runtime; the structure was right, so it is inside a token.
    throw new MalformedMessage("invalid string, number or literal");
  }
}

const [I64_MIN, U64_MAX] = [-(2n ** 63n), 2n ** 64n - 1n];

/** As long as the longest i64 or u64. Longer ones are not read at all: BigInt takes 100 ms for a million digits. */
const INTEGER = /^-?\d{1,20}$/;

function refuseInexactNumbers(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== "number") return value;
  const source = context?.source ?? "";
  if (!INTEGER.test(source)) return NaN;
  return BigInt(source) < I64_MIN || BigInt(source) > U64_MAX ? NaN : value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** As Codex words it: lines from 1, columns in bytes, both up to and including the character in question. */
function position(text: string, at: number): string {
  const lines = text.slice(0, at + 1).split("\n");
  return ` at line ${lines.length} column ${Buffer.byteLength(lines[lines.length - 1])}`;
}

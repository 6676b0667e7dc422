import type { Header } from "../http_client.ts";
import type { Outgoing } from "./check_request.ts";
import type { ResponseHead } from "./response_head.ts";

/**
 * Shorter than the servers' own patience, of which 5 s is usual: a request that meets a server hanging up is lost,
 * and one that must not be sent twice with it.
 */
const MAX_IDLE_MS = 4_000;
/** What a server says of its patience counts from before we have read it. */
const MARGIN_MS = 1_000;

/** How long a connection may be kept for another request, once this one is answered to its end; 0 for not at all. */
export function idleTime({ method, headers }: Outgoing, head: ResponseHead): number {
  const isOver = head.version !== "1.1" || method === "CONNECT" || head.status === 101 ||
    valuesOf(headers, "connection").includes("close") ||
    valuesOf(head.headers, "connection").includes("close");
  if (isOver || isDoubtful(head)) return 0;
  const promised = valuesOf(head.headers, "keep-alive").map((value) =>
    /^timeout\s*=\s*(\d{1,9})$/.exec(value)?.[1]
  );
  const patience = promised.flatMap((seconds) =>
    seconds === undefined ? [] : [Number(seconds) * 1000 - MARGIN_MS]
  );
  return Math.max(0, Math.min(MAX_IDLE_MS, ...patience));
}

/** Where others on the way may have seen another end of the body than we. */
function isDoubtful({ status, headers }: ResponseHead): boolean {
  const lengths = valuesOf(headers, "content-length");
  const isChunked = valuesOf(headers, "transfer-encoding").length > 0;
  if (status === 204) return isChunked || lengths.some((length) => Number(length) > 0);
  return isChunked && lengths.length > 0;
}

function valuesOf(headers: readonly Header[], wanted: string): string[] {
  return headers.filter(({ name }) => name === wanted).flatMap(({ value }) => value.toLowerCase().split(","))
    .map((value) => value.trim());
}

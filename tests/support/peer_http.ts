import type { Peer } from "./peer.ts";

export type Delta = {
  requestId: string;
  seq: number;
  deltaBase64: string;
  done: boolean;
  error: string | null;
};
export type HttpAnswer = { status: number; headers: { name: string; value: string }[]; bodyBase64: string };

/** One `http/request`, a GET for a whole answer where nothing else is said. */
export function httpRequest(peer: Peer, url: string, change: object = {}): Promise<HttpAnswer> {
  return peer.call<HttpAnswer>("http/request", { method: "GET", url, requestId: "r", ...change });
}

export function bodyOf({ bodyBase64 }: HttpAnswer): string {
  return Buffer.from(bodyBase64, "base64").toString("latin1");
}

/** What was notified of a body so far. */
export function deltasOf(peer: Peer, requestId: string): Delta[] {
  return peer.messages.filter(({ method, params }) =>
    method === "http/request/bodyDelta" && params?.["requestId"] === requestId
  ).map(({ params }) => params as Delta);
}

/** Waits for the last notification of a body, and gives all of them. */
export async function streamedBody(peer: Peer, requestId: string): Promise<Delta[]> {
  await peer.waitUntil(
    () => deltasOf(peer, requestId).some(({ done }) => done),
    `the end of the body of ${requestId}`,
  );
  return deltasOf(peer, requestId);
}

export function textOf(deltas: readonly Delta[]): string {
  return Buffer.concat(deltas.map(({ deltaBase64 }) => Buffer.from(deltaBase64, "base64"))).toString(
    "latin1",
  );
}

import { expect } from "bun:test";
import type { Peer } from "./peer.ts";

export const READY = { status: "ready" };

/** Sends a text that is no message of the protocol; the next message must say so, with the fixed words before the detail. */
export async function malformed(peer: Peer, text: string): Promise<string> {
  const from = peer.messages.length;
  peer.send(text);
  const { id, error } = await peer.waitFor(() => true, `an answer to ${text.slice(0, 80)}`, from);
  expect({ text: text.slice(0, 80), id, code: error?.code }).toEqual({
    text: text.slice(0, 80),
    id: -1,
    code: -32600,
  });
  const prefix = /^failed to parse websocket JSON-RPC message from exec-server websocket 127\.0\.0\.1:\d+: /;
  expect(error?.message).toMatch(prefix);
  return (error?.message ?? "").replace(prefix, "");
}

export async function staysUp(peer: Peer): Promise<void> {
  expect(await peer.call("environment/status")).toEqual(READY);
}

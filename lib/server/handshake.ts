/** How far a connection has introduced itself. A refused `initialize` leaves it new. */
export type Handshake = "new" | "requested" | "ready";

export type HandshakeEvent = "initialize accepted" | "initialized";

/** What comes next, or null for what a peer must not say now. */
export function nextHandshake(state: Handshake, event: HandshakeEvent): Handshake | null {
  if (event === "initialize accepted") return state === "new" ? "requested" : null;
  // Said again it changes nothing; said too early it breaks the protocol.
  return state === "new" ? null : "ready";
}

/** Why a method cannot be used yet, or null when it can. */
export function refusalBefore(state: Handshake, family: string): string | null {
  if (state === "new") return `client must call initialize before using ${family} methods`;
  if (state === "requested") return `client must send initialized before using ${family} methods`;
  return null;
}

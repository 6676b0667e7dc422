const KEY = /^[A-Za-z0-9+/]{22}==$/;

/** Why these headers ask for no WebSocket that we could open, or `null`. The texts but the last are Codex's. */
export function upgradeProblem(headers: Headers): string | null {
  if (!headers.get("connection")?.toLowerCase().includes("upgrade")) {
    return "Connection header did not include 'upgrade'";
  }
  if (headers.get("upgrade")?.toLowerCase() !== "websocket") {
    return "`Upgrade` header did not include 'websocket'";
  }
  if (headers.get("sec-websocket-version") !== "13") {
    return "`Sec-WebSocket-Version` header did not include '13'";
  }
  const key = headers.get("sec-websocket-key");
  if (key === null) return "`Sec-WebSocket-Key` header missing";
  // Codex takes any key; Bun upgrades no other than the protocol's.
  if (!KEY.test(key)) return "`Sec-WebSocket-Key` header is not 16 bytes in base64";
  return null;
}

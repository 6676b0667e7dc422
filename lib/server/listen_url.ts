import { isIPv4, isIPv6 } from "./ip_address.ts";
import { shortIPv6 } from "./short_ipv6.ts";

export type ListenUrl = { kind: "stdio" } | { kind: "ws"; hostname: string; port: number };

export class ListenUrlError extends Error {
  override readonly name = "ListenUrlError";
}

const WEB_SOCKET = "ws://";
const LAST_PORT = 65_535;
const LAST_SCOPE = 2 ** 32 - 1;

/**
 * Reads `ws://IP:PORT`, `stdio` or `stdio://`, to the letter: no names, no paths, no trimming.
 * The hostname comes back in its shortest spelling and without brackets. Throws a ListenUrlError.
 */
export function parseListenUrl(text: string): ListenUrl {
  if (text === "stdio" || text === "stdio://") return { kind: "stdio" };
  if (!text.startsWith(WEB_SOCKET)) {
    throw new ListenUrlError(`unsupported --listen URL \`${text}\`; expected \`ws://IP:PORT\` or \`stdio\``);
  }
  const address = parseSocketAddress(text.slice(WEB_SOCKET.length));
  if (address === null) {
    throw new ListenUrlError(`invalid websocket --listen URL \`${text}\`; expected \`ws://IP:PORT\``);
  }
  return { kind: "ws", ...address };
}

/** The line that tells where a server listens; what parseListenUrl reads, with the port that was picked. */
export function webSocketUrl(hostname: string, port: number): string {
  return `${WEB_SOCKET}${isIPv6(hostname) ? `[${hostname}]` : hostname}:${port}`;
}

/** Whether only this machine can reach a listener on this address, in any spelling, with or without brackets. */
export function isLoopback(hostname: string): boolean {
  const bare = hostname.replace(/^\[(.*)\]$/, "$1");
  const address = isIPv6(bare) ? shortIPv6(bare) : bare;
  const ipv4 = address.replace(/^::ffff:/, "");
  return address === "::1" || (isIPv4(ipv4) && ipv4.startsWith("127."));
}

function parseSocketAddress(text: string): { hostname: string; port: number } | null {
  const parts = /^(?:(?<ipv4>[\d.]+)|\[(?<ipv6>[\da-fA-F:.]+)(?:%(?<scope>\d+))?\]):(?<port>\d+)$/.exec(text)
    ?.groups;
  if (parts === undefined) return null;
  const port = Number(parts.port);
  if (port > LAST_PORT) return null;
  if (parts.ipv4 !== undefined) return isIPv4(parts.ipv4) ? { hostname: parts.ipv4, port } : null;
  if (!isIPv6(parts.ipv6) || Number(parts.scope ?? 0) > LAST_SCOPE) return null;
  // The scope goes: it means something for link-local addresses only, and Bun can bind none that carries one.
  return { hostname: shortIPv6(parts.ipv6), port };
}

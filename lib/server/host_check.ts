import { isIPv4, isIPv6 } from "./ip_address.ts";

/**
 * Whether a Host header names this server in a way no web page can arrange: a page may point its own name at our
 * address (DNS rebinding), but it then sends that name. Without a header the request is no browser's.
 */
export function isHostAllowed(host: string | null, allowHosts: readonly string[]): boolean {
  if (host === null) return true;
  const name = host.replace(/:\d*$/, "");
  const ipv6 = /^\[([^%]*)\]$/.exec(name)?.[1];
  if (isIPv4(name) || (ipv6 !== undefined && isIPv6(ipv6))) return true;
  return ["localhost", ...allowHosts].some((allowed) => allowed.toLowerCase() === name.toLowerCase());
}

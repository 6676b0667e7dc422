import { BlockList, isIP } from "node:net";
import { HttpError } from "../http_error.ts";
import type { Environment } from "./header_variable.ts";

/** The proxy that the environment names for this URL; null for none. Throws HttpError `failed`. */
export function chooseProxy(url: URL, environment: Environment): URL | null {
  const named = proxyFor(url, environment);
  if (named === null || isExempt(hostOf(url), first(environment, "NO_PROXY", "no_proxy") ?? "")) return null;
  const proxy = URL.parse(named.includes("://") ? named : `http://${named}`);
  // What it is set to may hold a password, so it is not repeated.
  if (proxy === null) throw new HttpError("failed", "Cannot use the proxy of the environment: it is no URL");
  if (proxy.protocol !== "http:" && proxy.protocol !== "https:") {
    const scheme = proxy.protocol.slice(0, -1);
    throw new HttpError("failed", `Cannot use the proxy of the environment: ${scheme} is not supported`);
  }
  return proxy;
}

/** Without the brackets of an IPv6 address. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "");
}

function proxyFor(url: URL, environment: Environment): string | null {
  const all = ["ALL_PROXY", "all_proxy"];
  if (url.protocol === "https:") return first(environment, "HTTPS_PROXY", "https_proxy", ...all);
  // In a CGI program a caller's `Proxy` header becomes HTTP_PROXY.
  const isCgi = environment["REQUEST_METHOD"] !== undefined;
  return first(environment, ...(isCgi ? [] : ["HTTP_PROXY"]), "http_proxy", ...all);
}

function first(environment: Environment, ...names: string[]): string | null {
  for (const name of names) {
    const value = environment[name]?.trim();
    if (value) return value;
  }
  return null;
}

/** `*`, a host, a domain and all below it, an address, or a network like `10.0.0.0/8`. */
function isExempt(host: string, list: string): boolean {
  return list.split(",").map((entry) => entry.trim()).filter((entry) => entry !== "").some((entry) => {
    if (entry === "*") return true;
    if (isIP(host) !== 0) return isInNetwork(host, entry);
    const domain = entry.replace(/^\./, "").toLowerCase();
    return host === domain || host.endsWith(`.${domain}`);
  });
}

function isInNetwork(address: string, entry: string): boolean {
  const [network = "", bits] = entry.split("/");
  const version = isIP(network);
  if (version === 0 || version !== isIP(address)) return false;
  const size = version === 4 ? 32 : 128;
  const prefix = bits === undefined ? size : Number(bits);
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > size || bits === "") return false;
  const family = version === 4 ? "ipv4" : "ipv6";
  const networks = new BlockList();
  networks.addSubnet(network, prefix, family);
  return networks.check(address, family);
}

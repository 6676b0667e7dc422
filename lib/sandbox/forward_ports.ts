import { UnenforceableError } from "./unenforceable.ts";

/** A network of which a proxy here is all that a command may see. */
export interface ManagedNetwork {
  /** What of the host's loopback it may reach, the proxy's among them; null: the proxy alone. */
  readonly loopbackPorts: readonly number[] | null;
}

/** Each is an open descriptor of the server's for as long as the command runs. Proxies have two. */
const MOST_PORTS = 64;

const PROXY_VARIABLE =
  /^(?:(?:yarn_|npm_config_|bundle_|docker_)?(?:https?|wss?|all|ftp)_proxy|npm_config_proxy|pip_proxy)$/i;
const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  http: 80,
  ws: 80,
  https: 443,
  wss: 443,
  ftp: 21,
  socks: 1080,
  socks4: 1080,
  socks4a: 1080,
  socks5: 1080,
  socks5h: 1080,
};

/**
 * The ports of the host's loopback that a command with these variables gets. Throws an UnenforceableError, in the words of
 * Codex, where the variables do not fit: a command that knows no proxy, or one that is not to be reached, was not meant.
 */
export function portsOut({ loopbackPorts }: ManagedNetwork, env: Readonly<Record<string, string>>): number[] {
  const proxies = Object.entries(env).flatMap(([name, value]) =>
    PROXY_VARIABLE.test(name) && value.trim() !== "" ? [value.trim()] : []
  );
  if (proxies.length === 0) {
    throw new UnenforceableError("managed proxy mode requires proxy environment variables");
  }
  const used = new Set(proxies.flatMap((proxy) => loopbackPortOf(proxy) ?? []));
  if (used.size === 0) {
    throw new UnenforceableError("managed proxy mode requires parseable loopback proxy endpoints");
  }
  // Nobody listens on port 0, here or there.
  const ports = new Set(loopbackPorts ?? used);
  ports.delete(0);
  if (!used.isSubsetOf(ports)) {
    throw new UnenforceableError("proxy endpoint is outside the managed sandbox context");
  }
  if (ports.size > MOST_PORTS) throw new UnenforceableError(`more than ${MOST_PORTS} loopback ports`);
  return [...ports];
}

/**
 * null for a proxy elsewhere: it is out of reach, as everything elsewhere is. Nothing is forwarded at ::1, where who tries
 * both addresses of `localhost` is to be refused at once.
 */
function loopbackPortOf(proxy: string): number | null {
  const [, scheme = "http", host, port] =
    /^(?:([a-z][a-z0-9+.-]*):\/\/)?(?:[^/?#@]*@)?([^/?#@:[\]]+)(?::(\d{1,5}))?(?:[/?#].*)?$/is.exec(proxy) ??
      [];
  if (host === undefined || !["127.0.0.1", "localhost"].includes(host.toLowerCase())) return null;
  const number = port === undefined ? DEFAULT_PORTS[scheme.toLowerCase()] ?? 80 : Number(port);
  return number >= 1 && number <= 0xffff ? number : null;
}

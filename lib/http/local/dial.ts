import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { osErrorWords } from "../../base/os_error.ts";
import type { Header } from "../http_client.ts";
import { hostOf } from "./choose_proxy.ts";
import { basic, defaultPort, type Target } from "./request_head.ts";
import { readHead } from "./response_head.ts";
import { trust } from "./trust.ts";
import { Upstream } from "./upstream.ts";

/** A connection on which a request can be sent, and how it has to be written there. */
export interface Line {
  readonly upstream: Upstream;
  readonly target: Target;
  readonly proxyHeaders: readonly Header[];
}

/** Connects to where the URL leads. Rejects with an Error that says why not, or with what ended it. */
export async function dial(url: URL, proxy: URL | null, ended: AbortSignal): Promise<Line> {
  if (proxy === null) return { upstream: await open(url, ended), target: "path", proxyHeaders: [] };
  const credentials = proxy.username === "" && proxy.password === ""
    ? []
    : [basic("proxy-authorization", proxy)];
  const upstream = await open(proxy, ended).catch((error) => {
    if (ended.aborted) throw error;
    throw new Error(`the proxy ${proxy.host}: ${osErrorWords(error)}`);
  });
  if (url.protocol === "http:") return { upstream, target: "whole", proxyHeaders: credentials };
  const tunnel = await openTunnel(upstream, url, credentials, ended);
  return { upstream: await secure(tunnel, url, ended), target: "path", proxyHeaders: [] };
}

async function open(url: URL, ended: AbortSignal): Promise<Upstream> {
  const port = url.port === "" ? defaultPort(url) : Number(url.port);
  // The answer to a long upload may come before its end, and the other side may stop sending before we do.
  const socket = connect({ host: hostOf(url), port, allowHalfOpen: true });
  socket.setNoDelay(true);
  socket.on("error", () => {}); // who waits on it hears of it; nobody else has to
  await whenReady(socket, "connect", ended);
  return url.protocol === "https:" ? await secure(socket, url, ended) : new Upstream(socket);
}

/** Asks a proxy to carry bytes that it does not understand. */
async function openTunnel(upstream: Upstream, url: URL, credentials: readonly Header[], ended: AbortSignal) {
  const stop = () => upstream.end(ended.reason);
  ended.addEventListener("abort", stop);
  try {
    const authority = `${url.hostname}:${url.port === "" ? defaultPort(url) : url.port}`;
    const lines = [{ name: "host", value: authority }, ...credentials];
    const head = lines.map(({ name, value }) => `${name}: ${value}\r\n`).join("");
    upstream.write(Buffer.from(`CONNECT ${authority} HTTP/1.1\r\n${head}\r\n`));
    const { status } = await readHead(upstream);
    if (status < 200 || status > 299) throw new Error(`the proxy refused with status ${status}`);
    return upstream.release();
  } catch (error) {
    upstream.end(new Error("the proxy refused"));
    throw error;
  } finally {
    ended.removeEventListener("abort", stop);
  }
}

async function secure(socket: Socket, url: URL, ended: AbortSignal): Promise<Upstream> {
  const host = hostOf(url);
  const secured = connectTls({
    socket,
    host,
    // An address is checked against the certificate too, but it is no name to ask for.
    ...(isIP(host) === 0 ? { servername: host } : {}),
    secureContext: trust(),
    ALPNProtocols: ["http/1.1"],
  });
  secured.on("error", () => {});
  await whenReady(secured, "secureConnect", ended);
  return new Upstream(secured);
}

function whenReady(socket: Socket, ready: "connect" | "secureConnect", ended: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (failure: unknown) => {
      socket.off(ready, succeed);
      socket.off("error", settle);
      socket.off("close", close);
      ended.removeEventListener("abort", stop);
      if (failure === null) return resolve();
      socket.destroy();
      reject(failure);
    };
    const succeed = () => settle(null);
    const stop = () => settle(ended.reason);
    const close = () => settle(new Error("the connection was closed"));
    socket.on(ready, succeed);
    socket.on("error", settle);
    socket.on("close", close);
    ended.addEventListener("abort", stop);
    if (ended.aborted) stop();
  });
}

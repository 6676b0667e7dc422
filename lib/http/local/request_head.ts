import type { Header } from "../http_client.ts";
import type { Outgoing } from "./check_request.ts";

/** How the target is written: as a path for the server itself, whole for a proxy that passes it on. */
export type Target = "path" | "whole";

/** All that is sent. Beyond the caller's headers only `accept`, `host`, a length and what the proxy wants. */
export function requestBytes(request: Outgoing, target: Target, proxyHeaders: readonly Header[]): Uint8Array {
  const { method, url, body } = request;
  const headers = [...request.headers];
  const has = (name: string) => headers.some((header) => header.name === name);
  const addIfMissing = (name: string, value: string) => has(name) || headers.push({ name, value });
  if (url.username !== "" || url.password !== "") {
    if (!has("authorization")) headers.unshift(basic("authorization", url));
  }
  addIfMissing("accept", "*/*");
  for (const { name, value } of proxyHeaders) addIfMissing(name, value);
  addIfMissing("host", url.host);
  const isChunked = has("transfer-encoding");
  if (body.length > 0 && !isChunked) addIfMissing("content-length", String(body.length));
  const lines = headers.map(({ name, value }) => `${name}: ${value}\r\n`).join("");
  const head = Buffer.from(`${method} ${targetOf(method, url, target)} HTTP/1.1\r\n${lines}\r\n`);
  return Buffer.concat([head, ...isChunked ? asChunks(body) : [body]]);
}

/** The user and password of a URL, as Basic authentication writes them. */
export function basic(name: string, url: URL): Header {
  const user = `${decode(url.username)}:${decode(url.password)}`;
  return { name, value: `Basic ${Buffer.from(user).toString("base64")}` };
}

function targetOf(method: string, url: URL, target: Target): string {
  if (method === "CONNECT") return url.port === "" ? `${url.host}:${defaultPort(url)}` : url.host;
  const path = `${url.pathname}${url.search}`;
  return target === "path" ? path : `${url.protocol}//${url.host}${path}`;
}

export function defaultPort(url: URL): number {
  return url.protocol === "https:" ? 443 : 80;
}

function asChunks(body: Uint8Array): Uint8Array[] {
  const last = Buffer.from("0\r\n\r\n");
  if (body.length === 0) return [last];
  return [Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from("\r\n"), last];
}

/** Percent signs that stand for nothing are kept. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

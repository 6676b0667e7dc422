import { HttpError } from "../http_error.ts";

/** The URL of a request. Throws HttpError `invalid`, with the text that Codex has for it. */
export function readHttpUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null) throw new HttpError("invalid", `url is invalid: ${problemOf(text)}`);
  const scheme = url.protocol.slice(0, -1);
  if (!isHttp(url)) {
    throw new HttpError("invalid", `only supports http and https URLs, got ${scheme}`);
  }
  return url;
}

export function isHttp(url: URL): boolean {
  return url.protocol === "http:" || url.protocol === "https:";
}

/** Where to: without the caller's name and password, which belong in no message. */
export function urlWithoutUser(url: URL): URL {
  const plain = new URL(url);
  plain.username = "";
  plain.password = "";
  return plain;
}

/** The parser only says that it cannot. */
function problemOf(text: string): string {
  const authority = /^[\s\0-\x20]*[a-z][a-z0-9+.-]*:[/\\]*([^/\\?#]*)/i.exec(text)?.[1];
  if (authority === undefined) return "relative URL without a base";
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  if (host === "") return "empty host";
  if (host.startsWith("[") && URL.parse(`http://${host.replace(/:[^\]]*$/, "")}/`) === null) {
    return "invalid IPv6 address";
  }
  const name = host.replace(/:[^:\]]*$/, "");
  if (name !== host && (name === "" || URL.canParse(`http://${name}/`))) {
    return name === "" ? "empty host" : "invalid port number";
  }
  return /(?:^|\.)(?:\d+|0x[\da-f]*)\.?$/i.test(name)
    ? "invalid IPv4 address"
    : "invalid international domain name";
}

import { FileUriError } from "./file_uri_error.ts";

/** The canonical name of the machine; empty for this one. Neither user nor port may stand there. */
export function parseHost(text: string): string {
  if (text === "") return "";
  const isAddress6 = text.startsWith("[");
  if (isAddress6 ? !text.endsWith("]") : /[@:]/.test(text)) throw invalidHost(text);
  const url = URL.parse(`http://${text}/`);
  if (url === null || url.hostname === "") throw invalidHost(text);
  return url.hostname === "localhost" ? "" : url.hostname;
}

function invalidHost(text: string): FileUriError {
  if (text.startsWith("[")) return new FileUriError("invalid URI: invalid IPv6 address");
  const isAddress4 = /(?:^|\.)(?:\d+|0x[0-9a-f]*)\.?$/i.test(text);
  return new FileUriError(
    `invalid URI: invalid ${isAddress4 ? "IPv4 address" : "international domain name"}`,
  );
}

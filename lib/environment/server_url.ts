/** A URL whose host can be told; else why not. */
export function serverUrl(text: string): URL | string {
  if (/\s/.test(text)) return "HTTP format error: invalid uri character";
  if (/^wss?:\/\/(?:[/?#]|$)/.test(text)) return "HTTP format error: empty string";
  try {
    return new URL(text);
  } catch {
    return "HTTP format error: invalid format";
  }
}

/** Whether what is sent there never leaves this machine. */
export function isLoopbackHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, "");
  return host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/** The URL as it may be shown: what stands before an `@` or behind a `?` or `#` may be secret. */
export function shownUrl(url: string): string {
  return url.replace(/[?#].*$/s, "").replace(/^([a-z+]+:\/\/)[^/@]*@/i, "$1");
}

/**
 * What to do about a server that cannot be reached, by what was heard of it and how it was to be reached: at a URL, or
 * as a program that is started.
 */
export function linkHint(message: string, kind: "url" | "program"): string {
  if (/spawn/i.test(message)) {
    return "see that the program is in PATH and starts a server on its stdin and stdout";
  }
  if (kind === "program") {
    return "see that the program starts a server, keeps running, and prints nothing else on its stdout";
  }
  if (/\b401\b/.test(message)) {
    return "give the server's token with --token-file FILE or EXEC_SERVER_TOKEN_FILE";
  }
  if (/\b403\b/.test(message)) return "the server must be told to accept that name: serve --allow-host NAME";
  if (/certificate is not signed/.test(message)) {
    return "name the server's certificate authority with --tls-ca FILE";
  }
  if (/certificate is for another name/.test(message)) {
    return "use a name in the URL that the certificate is for";
  }
  if (/its certificate/.test(message)) return "give the server a certificate that is valid now";
  if (/does not speak TLS/.test(message)) {
    return "use ws:// in place of wss://, or see that the port is the right one";
  }
  if (/handshake|protocol/.test(message)) return "see that an exec-server listens there and nothing else";
  return "see that `exec-server serve` runs there and prints the same URL";
}

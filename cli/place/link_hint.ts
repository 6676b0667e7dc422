/** What to do about a server that cannot be reached, by what was heard of it. */
export function linkHint(message: string): string {
  if (/\b401\b/.test(message)) {
    return "give the server's token with --token-file FILE or EXEC_SERVER_TOKEN_FILE";
  }
  if (/\b403\b/.test(message)) return "the server must be told to accept that name: serve --allow-host NAME";
  if (/spawn/i.test(message)) {
    return "see that the program is in PATH and starts a server on its stdin and stdout";
  }
  if (/tls|certificate/i.test(message)) return "name the server's certificate authority with --tls-ca FILE";
  if (/handshake|protocol/.test(message)) return "see that an exec-server listens there and nothing else";
  return "see that `exec-server serve` runs there and prints the same URL";
}

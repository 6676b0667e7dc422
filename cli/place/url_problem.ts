/** What keeps a text from being the URL of a server, without repeating it: it may hold a secret. null for nothing. */
export function urlProblem(text: string): string | null {
  const url = text.trim();
  if (/^unix:(?:\/\/)?\/./.test(url)) return null;
  if (!/^wss?:\/\//.test(url)) return "a server's URL begins with ws://, wss:// or unix:/";
  const port = /^wss?:\/\/[^/?#]*:(\d+)(?:[/?#]|$)/.exec(url)?.[1];
  if (port !== undefined && Number(port) > 65_535) return "the port is too large, 65535 is the last";
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || parsed.hostname === "") return "that is not a URL";
  if (parsed.username !== "" || parsed.password !== "") {
    return "a URL takes no user name and no password; put the token into a file";
  }
  return null;
}

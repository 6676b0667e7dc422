import { FileUriError, notNative } from "./file_uri_error.ts";
import { parseHost } from "./file_uri_host.ts";
import { encodeUrlText } from "./percent_code.ts";
import { isReservedPath, reservedPayload } from "./reserved_path.ts";

/** The canonical parts of a path URI. The path begins with one slash; the host is empty for this machine. */
export interface UriParts {
  readonly host: string;
  readonly path: string;
}

const SCHEME = /^([a-z][a-z0-9+.-]*):/i;
const DRIVE = /^[a-z][:|]$/i;
const LOWER_CASE_DRIVE = /^\/[a-z](?=(?::|%3[Aa])(?:\/|$))/;
const [DOT, DOT_DOT] = [/^(?:\.|%2e)$/i, /^(?:\.|%2e){2}$/i];

/**
 * Reads a path URI by the rules of URLs, as Codex does. Written out rather than left to `URL`: Bun's differs in
 * leading slashes, drive letters, `|`, `^` and hosts before a drive. Throws FileUriError.
 */
export function parseParts(given: string): UriParts {
  const text = withoutBlanks(given);
  const scheme = SCHEME.exec(text)?.[1];
  if (scheme === undefined) throw new FileUriError("invalid URI: relative URL without a base");
  const rest = text.slice(scheme.length + 1);
  if (scheme.toLowerCase() !== "file") {
    throw new FileUriError(refusalOfScheme(scheme.toLowerCase(), text, rest));
  }

  const end = rest.search(/[?#]/);
  const { host, path } = splitHost(end < 0 ? rest : rest.slice(0, end));
  if (rest[end] === "?") throw new FileUriError("query parameters are not allowed in path URIs");
  if (rest[end] === "#") throw new FileUriError("fragments are not allowed in path URIs");

  const mayBeReserved = host === "" && isReservedPath(path);
  if (mayBeReserved ? reservedPayload(path) === null : path.includes("%00")) {
    throw notNative(hrefOf({ host, path }));
  }
  if (host !== "") return { host, path };
  return { host, path: path.replace(LOWER_CASE_DRIVE, (start) => start.toUpperCase()) };
}

export function hrefOf({ host, path }: UriParts): string {
  return `file://${host}${path}`;
}

/** Without what URLs do not see: white space and controls around, tabs and line ends anywhere. */
function withoutBlanks(text: string): string {
  let [start, end] = [0, text.length];
  while (text.charCodeAt(start) <= 0x20) start++;
  while (end > start && text.charCodeAt(end - 1) <= 0x20) end--;
  return text.slice(start, end).replace(/[\t\n\r]/g, "");
}

function refusalOfScheme(scheme: string, text: string, rest: string): string {
  const needsHost = ["http", "https", "ws", "wss", "ftp"].includes(scheme);
  if (needsHost && /^[/\\]*(?:[?#]|$)/.test(rest)) return "invalid URI: empty host";
  if (!URL.canParse(text)) return "invalid URI: invalid international domain name";
  return `unsupported path URI scheme \`${scheme}\``;
}

function splitHost(rest: string): UriParts {
  const named = /^[/\\]{2}([^/\\]*)/.exec(rest);
  // A drive where the host stands is the beginning of the path.
  if (named === null || DRIVE.test(named[1])) return canonical("", rest.slice(named === null ? 0 : 2), true);
  const host = parseHost(named[1]);
  return canonical(host, rest.slice(named[0].length), host !== "");
}

/**
 * Resolves dots and encodes. A drive is a root: `..` does not leave it, and a host before it is dropped.
 * `readsBar`: `C|` is read as `C:`. After an empty host Codex does so only where `..` went beyond the root.
 */
function canonical(givenHost: string, text: string, readsBar: boolean): UriParts {
  let [host, readsDrive] = [givenHost, readsBar];
  const segments: string[] = [];
  const given = text.replace(/^[/\\]/, "").split(/[/\\]/);
  for (const [i, segment] of given.entries()) {
    if (DOT_DOT.test(segment)) {
      if (segments.length === 0) readsDrive = true;
      else if (!DRIVE.test(segments[segments.length - 1])) segments.pop();
    } else if (segments.length === 0 && readsDrive && DRIVE.test(segment)) {
      host = "";
      segments.push(`${segment[0]}:`);
    } else if (!DOT.test(segment)) {
      segments.push(encodeUrlText(segment));
    }
    const isLast = i === given.length - 1;
    if (isLast && (DOT.test(segment) || DOT_DOT.test(segment))) segments.push("");
  }
  return { host, path: `/${segments.join("/").replace(/^\/+/, "")}` };
}

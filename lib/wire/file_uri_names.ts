import { FileUri, FileUriError, parseFileUri } from "./file_uri.ts";
import { notNative } from "./file_uri_error.ts";
import { decodePercent, encodeNativeBytes } from "./percent_code.ts";

// What can be said of a path by its URI alone, without looking at a disk. Not for deciding what is allowed:
// links, and names that hide a slash, are not seen here.

/** How many first names are the root and cannot be left: `C:`, and the share in `file://host/share`. */
function rootSize(uri: FileUri): number {
  return uri.hasDrive || uri.parts.host !== "" ? 1 : 0;
}

/** The last name, decoded where it is UTF-8, else as it stands in the URI. null for a root. */
export function basename(uri: FileUri): string | null {
  const segments = uri.segments;
  if (uri.isReserved || segments.length <= rootSize(uri)) return null;
  const last = segments[segments.length - 1];
  const bytes = decodePercent(last);
  const text = Buffer.from(bytes).toString();
  return Buffer.from(text).equals(bytes) ? text : last;
}

/** null for a root. */
export function parent(uri: FileUri): FileUri | null {
  const segments = uri.segments;
  if (uri.isReserved || segments.length <= rootSize(uri)) return null;
  return new FileUri({ host: uri.parts.host, path: `/${segments.slice(0, -1).join("/")}` });
}

/**
 * The POSIX text seen from there. An absolute text replaces the path, an empty one leaves it, and `..` does not
 * climb above the root. Throws FileUriError for a NUL, for more to a reserved path, and for a path of another kind
 * of machine, whose texts read differently.
 */
export function join(uri: FileUri, text: string): FileUri {
  if (rootSize(uri) > 0) throw notNative(uri.href);
  if (text === "") return uri;
  if (text.includes("\0")) throw new FileUriError("Cannot join a path that holds a NUL");
  const isAbsolute = text.startsWith("/");
  if (uri.isReserved && !isAbsolute) throw new FileUriError("Cannot join to a path that holds a NUL");

  const segments = isAbsolute ? [] : uri.segments;
  for (const name of text.split("/")) {
    if (name === "..") segments.pop();
    else if (name !== "" && name !== ".") segments.push(encodeNativeBytes(Buffer.from(name)));
  }
  return parseFileUri(`file:///${segments.join("/")}`);
}

/** Whether the path is the base or below it, name by name. A name that hides a slash is below nothing. */
export function startsWith(uri: FileUri, base: FileUri): boolean {
  if (uri.isReserved || base.isReserved) return uri.href === base.href;
  const [names, baseNames] = [uri.segments, base.segments];
  const hidesSlash = (name: string) => /%2f/i.test(name);
  if (uri.parts.host !== base.parts.host || names.some(hidesSlash) || baseNames.some(hidesSlash)) {
    return false;
  }
  return baseNames.every((name, i) => names[i] !== undefined && decodesAlike(names[i], name));
}

function decodesAlike(name: string, other: string): boolean {
  return Buffer.from(decodePercent(name)).equals(decodePercent(other));
}

import { FileUriError, notNative } from "./file_uri_error.ts";
import { hrefOf, parseParts, type UriParts } from "./file_uri_parse.ts";
import { decodePercent, encodeNativeBytes } from "./percent_code.ts";
import { isReservedPath, needsReservedForm, reservedPath, reservedPayload } from "./reserved_path.ts";

export { FileUriError } from "./file_uri_error.ts";

/** A path as the wire names it, in canonical form. May be a path of another kind of machine. */
export class FileUri {
  readonly href: string;

  /** The parts must be canonical: this is for the functions of this family, others parse. */
  constructor(readonly parts: UriParts) {
    this.href = hrefOf(parts);
  }

  /** Lexically opaque: the path is not to be seen in the URI. */
  get isReserved(): boolean {
    return this.parts.host === "" && isReservedPath(this.parts.path);
  }

  /** What stands between the slashes, still encoded. */
  get segments(): string[] {
    return this.parts.path.split("/").filter((segment) => segment !== "");
  }

  /** `C:`, also written `C%3A`. */
  get hasDrive(): boolean {
    return /^\/[A-Z](?::|%3[Aa])(?:\/|$)/.test(this.parts.path);
  }

  /**
   * The absolute path on a POSIX machine, without a slash at its end and without empty names. It may hold bytes
   * that are no UTF-8, and names that hide `/` or `..`: it has to be checked as a path, not as a URI.
   * Throws FileUriError for a path of another kind of machine.
   */
  toPosixBytes(): Uint8Array {
    if (this.isReserved) {
      const bytes = reservedPayload(this.parts.path);
      if (bytes === null || !needsReservedForm(bytes)) throw notNative(this.href);
      return bytes;
    }
    if (this.parts.host !== "" || this.hasDrive) throw notNative(this.href);
    return decodePercent(`/${this.segments.join("/")}`);
  }
}

/** Throws FileUriError, with the text that Codex has for it. */
export function parseFileUri(text: string): FileUri {
  return new FileUri(parseParts(text));
}

/**
 * The URI of an absolute POSIX path. Empty names are left out, `.` and `..` are resolved as URLs do.
 * A first name like `C:` is written as it is and will be read as a drive; Codex accepts that.
 */
export function fileUriFromPath(path: string | Uint8Array): FileUri {
  const bytes = typeof path === "string" ? Buffer.from(path) : path;
  if (bytes[0] !== 0x2f) throw new FileUriError("Cannot name a path by a URI: not absolute");
  if (bytes.includes(0)) return new FileUri({ host: "", path: reservedPath(bytes) });
  const names = encodeNativeBytes(bytes).split("/").filter((name) => name !== "");
  return parseFileUri(`file:///${names.join("/")}`);
}

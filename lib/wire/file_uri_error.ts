/** A text that is no path URI, or one that names nothing here. The text is for the peer. */
export class FileUriError extends Error {
  override readonly name = "FileUriError";
}

/** The path exists as a URI, but not on a POSIX machine. */
export function notNative(href: string): FileUriError {
  return new FileUriError(`'${href}' is invalid on 'linux'`);
}

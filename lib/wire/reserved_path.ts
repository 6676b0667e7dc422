// Paths with a NUL cannot be written in the usual way: `%00` is refused. They are written as this name and the
// unpadded URL-safe base64 of their bytes, and as nothing else. Nothing is read into such a name.

const PREFIX = "/%00/bad/path/";

export function isReservedPath(path: string): boolean {
  return path.startsWith(PREFIX);
}

export function reservedPath(bytes: Uint8Array): string {
  return PREFIX + bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

/** The payload, or null when the form is broken. */
export function reservedPayload(path: string): Uint8Array | null {
  const written = path.slice(PREFIX.length);
  try {
    const bytes = Uint8Array.fromBase64(written, { alphabet: "base64url" });
    return bytes.length > 0 && reservedPath(bytes) === path ? bytes : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** Whether these bytes are a POSIX path that needs the reserved form, and not a Windows path in UTF-16. */
export function needsReservedForm(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes).toString("latin1");
  const isPosix = text.startsWith("/") && !text.startsWith("/\0");
  return isPosix && text.includes("\0") && !/\/(?:\.{0,2})(?:\/|$)/.test(text);
}

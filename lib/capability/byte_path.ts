import type { NativePath } from "../fs/file_system.ts";

/** A path as a text with one character for each of its bytes, so that names of any kind are cut and joined alike. */
export type BytePath = string & { readonly bytePath: true };

export function bytePath(path: NativePath): BytePath {
  const bytes = typeof path === "string"
    ? Buffer.from(path)
    : Buffer.from(path.buffer, path.byteOffset, path.length);
  return bytes.toString("latin1") as BytePath;
}

export function nativeBytes(path: BytePath): Uint8Array {
  return Buffer.from(path, "latin1");
}

export function below(directory: BytePath, relative: string): BytePath {
  return `${directory === "/" ? "" : directory}/${relative}` as BytePath;
}

/** null above a root. */
export function parentOf(path: BytePath): BytePath | null {
  if (path === "/") return null;
  return (path.slice(0, path.lastIndexOf("/")) || "/") as BytePath;
}

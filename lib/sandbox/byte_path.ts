/**
 * An absolute path as a text with one character for each of its bytes, so that paths of any kind compare, sort
 * and cut byte by byte. No slash at its end, no empty names, no `.` and no `..`.
 */
export type BytePath = string;

/** What the system calls take. */
export function nativeBytes(path: BytePath): Buffer {
  return Buffer.from(path, "latin1");
}

/**
 * The absolute path in this form; `..` is resolved as text, as URLs do. Throws for a path that is not absolute
 * or holds a NUL: both must have been refused before.
 */
export function bytePathOf(path: string | Uint8Array): BytePath {
  const text = (typeof path === "string" ? Buffer.from(path) : Buffer.from(path)).toString("latin1");
  if (!text.startsWith("/") || text.includes("\0")) throw new TypeError("Not an absolute path");
  return joined("/", text);
}

/** What the directory has under this name. */
export function child(directory: BytePath, name: string): BytePath {
  return directory === "/" ? `/${name}` : `${directory}/${name}`;
}

/** The path below the directory that the relative text names. `..` does not climb above the root. */
export function joined(directory: BytePath, relative: string): BytePath {
  const names = namesOf(directory);
  for (const name of relative.split("/")) {
    if (name === "..") names.pop();
    else if (name !== "" && name !== ".") names.push(name);
  }
  return `/${names.join("/")}`;
}

export function namesOf(path: BytePath): string[] {
  return path.split("/").filter((name) => name !== "");
}

export function depthOf(path: BytePath): number {
  if (path === "/") return 0;
  let depth = 0;
  for (let at = 0; at >= 0; at = path.indexOf("/", at + 1)) depth++;
  return depth;
}

/** `/` is its own parent. */
export function parentOf(path: BytePath): BytePath {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

/** The directory itself counts as within. */
export function isWithin(path: BytePath, directory: BytePath): boolean {
  return directory === "/" || path === directory || path.startsWith(`${directory}/`);
}

/** The path, then its parents up to `/`. */
export function* upwards(path: BytePath): Generator<BytePath> {
  for (let at = path; at !== "/"; at = parentOf(at)) yield at;
  yield "/";
}

/** Bytewise by depth: parents stand before what is below them. */
export function byDepth(one: BytePath, other: BytePath): number {
  const depths = depthOf(one) - depthOf(other);
  if (depths !== 0) return depths;
  return one < other ? -1 : one > other ? 1 : 0;
}

/** For people: what is no UTF-8 is lost in it. */
export function shownPath(path: BytePath): string {
  return nativeBytes(path).toString("utf8");
}

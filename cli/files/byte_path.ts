import type { NativePath } from "../../lib/fs/file_system.ts";
import { shownText } from "../shown_text.ts";

// A byte path holds one byte a character, so that names of any bytes can be cut, joined and compared as text.

export type BytePath = string & { readonly bytePath: true };

export function bytePath(path: NativePath): BytePath {
  return Buffer.from(path as string).toString("latin1") as BytePath;
}

/** As the promise of a file system has it: text where it is UTF-8. */
export function nativePath(path: BytePath): NativePath {
  const bytes = Buffer.from(path, "latin1");
  const text = bytes.toString("utf8");
  return bytes.equals(Buffer.from(text)) ? text : bytes;
}

/** As node:fs takes it. */
export function bufferOf(path: BytePath): Buffer {
  return Buffer.from(path, "latin1");
}

export function join(directory: BytePath, name: string): BytePath {
  if (name === "" || name === ".") return directory;
  return `${directory.replace(/\/+$/, "")}/${name}` as BytePath;
}

/** The last name; empty for the root. */
export function baseOf(path: string): BytePath {
  return path.replace(/\/+$/, "").split("/").at(-1) as BytePath;
}

export function parentOf(path: BytePath): BytePath {
  const names = path.replace(/\/+$/, "").split("/").slice(0, -1);
  return (names.join("/") || (path.startsWith("/") ? "/" : ".")) as BytePath;
}

/** Of paths without links and dots. */
export function isAtOrBelow(path: BytePath, top: BytePath): boolean {
  return path === top || path.startsWith(top === "/" ? "/" : `${top}/`);
}

/** Whether it is one name that stays in its directory: what a server tells is not to lead anywhere else. */
export function isPlainName(name: BytePath): boolean {
  return name !== "" && name !== "." && name !== ".." && !/[/\0]/.test(name);
}

/** For people, on one line: what would break the line, and what is no UTF-8, is shown as `\xNN`. */
export function shownPath(path: BytePath): string {
  const native = nativePath(path);
  const text = typeof native === "string" ? native : path.replace(/[\x80-\xff]/g, hex);
  return shownText(text);
}

function hex(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
}

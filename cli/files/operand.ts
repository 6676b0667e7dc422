import { readFileSync } from "node:fs";
import { CommandError, EXIT } from "../exit_status.ts";
import { type BytePath, bytePath } from "./byte_path.ts";

/** One word of `cp`: a file here, a file on the server, or our own stdin and stdout. */
export type Operand =
  | { readonly kind: "here" | "there"; readonly path: BytePath; readonly word: BytePath }
  | { readonly kind: "stream"; readonly word: BytePath };

/** `:path` is on the server, `-` is a stream; `./:path` and `./-` are files here. */
export function parseOperand(word: BytePath): Operand {
  if (word === "-") return { kind: "stream", word };
  if (word.startsWith(":")) return { kind: "there", path: word.slice(1) as BytePath, word };
  return { kind: "here", path: word, word };
}

/**
 * An empty path would be the directory that relative ones begin in: `rm -rf "$UNSET"` would remove it. `:` alone is
 * that directory, for who says so.
 */
export function refuseEmptyPaths(words: readonly string[]): void {
  if (!words.includes("")) return;
  throw new CommandError(
    "a path is empty",
    "a variable in its place may be empty; `.` is the directory itself",
    EXIT.usage,
  );
}

/**
 * The words at the end of the command line by their bytes. The runtime reads arguments as UTF-8 and loses what is
 * none; the system still has it. Where it does not tell, the runtime's word stands.
 */
export function wordBytes(words: readonly string[], read: () => Buffer = readArguments): readonly BytePath[] {
  if (!words.some((word) => word.includes("\u{fffd}"))) return words.map(bytePath);
  const given = read().toString("latin1").split("\0").slice(0, -1).slice(-words.length) as BytePath[];
  const areSame = given.length === words.length &&
    given.every((bytes, at) => Buffer.from(bytes, "latin1").toString("utf8") === words[at]);
  return areSame ? given : words.map(bytePath);
}

function readArguments(): Buffer {
  try {
    return readFileSync("/proc/self/cmdline");
  } catch {
    return Buffer.alloc(0);
  }
}

import { CommandError, EXIT, usageError } from "../exit_status.ts";
import { baseOf, type BytePath, join, shownPath } from "./byte_path.ts";
import type { Operand } from "./operand.ts";
import type { Kind } from "./side.ts";

/** A source as it was found. */
export interface FoundSource {
  readonly operand: Operand;
  /** Of what it leads to; `other` for a stream. */
  readonly kind: Kind;
}

/** The destination as it was found; null where nothing is there. */
export interface FoundDestination {
  readonly operand: Operand;
  readonly kind: Kind | null;
}

export interface PlannedCopy {
  readonly source: Operand;
  readonly isTree: boolean;
  /** Empty for a stream. */
  readonly target: BytePath;
}

/**
 * What goes where, as cp and scp have it: into a directory that is there, else under the new name. Throws a
 * CommandError for what makes no sense, before anything is touched.
 */
export function planCopies(
  sources: readonly FoundSource[],
  destination: FoundDestination,
  recursive: boolean,
): readonly PlannedCopy[] {
  const { operand, kind } = destination;
  if (operand.kind === "stream") return [toStream(sources)];
  const shown = shownPath(operand.word);
  if (sources.length > 1 && kind !== "directory") {
    throw refused(`${shown} is not a directory`, "several sources need a directory that is there");
  }
  if (kind !== "directory" && kind !== null && endsWithSlash(operand.word)) {
    throw refused(`${shown} is not a directory`, "leave the slash out to replace it");
  }
  const taken = new Map<BytePath, Operand>();
  return sources.map(({ operand: source, kind: sourceKind }) => {
    const isTree = sourceKind === "directory";
    const name = shownPath(source.word);
    if (isTree && !recursive) throw refused(`${name} is a directory`, "give -r to copy all that is in it");
    if (!isTree && source.kind !== "stream" && endsWithSlash(source.word)) {
      throw refused(`${name} is not a directory`, "leave the slash out");
    }
    if (isTree && kind !== null && kind !== "directory") {
      throw refused(
        `cannot replace ${shown} with the directory ${name}`,
        "remove it first, or choose another name",
      );
    }
    if (!isTree && kind === null && endsWithSlash(operand.word)) {
      throw refused(`${shown} is not there`, "make the directory first, or leave the slash out");
    }
    const target = kind === "directory" ? join(operand.path, nameOf(source)) : operand.path;
    const other = taken.get(target);
    if (other !== undefined) {
      throw refused(
        `${shownPath(other.word)} and ${name} would both become ${shownPath(target)}`,
        "copy them apart",
      );
    }
    taken.set(target, source);
    return { source, isTree, target };
  });
}

function toStream(sources: readonly FoundSource[]): PlannedCopy {
  const [only, ...more] = sources;
  if (only === undefined || more.length > 0) throw usageError("`-` takes one source", "cp");
  if (only.kind === "directory") {
    throw refused(
      `${shownPath(only.operand.word)} is a directory`,
      "a tree does not go through stdout; use tar",
    );
  }
  return { source: only.operand, isTree: false, target: "" as BytePath };
}

/** What it is called in the directory it goes to: nothing where its content goes there itself. */
function nameOf(source: Operand): string {
  if (source.kind === "stream") throw refused("stdin has no name", "name the file: DST/NAME");
  const name = baseOf(source.path);
  return name === "." || name === ".." || name === "~" ? "" : name;
}

function endsWithSlash(word: BytePath): boolean {
  return word.endsWith("/");
}

function refused(message: string, hint: string): CommandError {
  return new CommandError(message, hint, EXIT.failed);
}

import type { DirectoryEntry, GiveUpOptions, NativePath } from "../fs/file_system.ts";
import { stopIfGivenUp } from "../fs/local/give_up.ts";
import { nextTurn, turnIsOver } from "../fs/local/turns.ts";
import { encodeBase64InPieces } from "../wire/base64.ts";
import type { WrittenResult } from "../wire/envelope.ts";
import { writeDirectoryEntry, writeReadDirectoryResult, WrittenList } from "../wire/fs_lists.ts";
import { type ReadDirectoryResult, type ReadFileResult, writeReadFileResult } from "../wire/fs_messages.ts";

// Puts into words what is too much for one go, in turns with everybody else.

/** Names are written in portions, so that asking for the time costs nothing beside them. */
const NAMES_PER_LOOK = 64;

export async function contentInWords(
  bytes: Uint8Array,
  options: GiveUpOptions,
): Promise<WrittenResult<ReadFileResult>> {
  let text = ""; // its pieces are joined when it is sent
  for (const piece of encodeBase64InPieces(bytes)) {
    stopIfGivenUp(options);
    text += piece;
    if (turnIsOver()) await nextTurn();
  }
  return writeReadFileResult(text);
}

export async function entriesInWords(
  entries: readonly DirectoryEntry[],
): Promise<WrittenResult<ReadDirectoryResult>> {
  const list = new WrittenList();
  for (let step = 0; step < entries.length; step++) {
    if (step % NAMES_PER_LOOK === 0 && turnIsOver()) await nextTurn();
    const { name, isDirectory, isFile } = entries[step]!;
    list.add(writeDirectoryEntry({ fileName: text(name), isDirectory, isFile }));
  }
  return writeReadDirectoryResult(list);
}

/** A name as JSON can hold it: what is no UTF-8 is lost. */
function text(name: NativePath): string {
  return typeof name === "string" ? name : new TextDecoder("utf-8", { ignoreBOM: true }).decode(name);
}

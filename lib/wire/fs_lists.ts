import { WrittenResult } from "./envelope.ts";
import type { ReadDirectoryResult, WalkResult } from "./fs_messages.ts";

// Answers that name thousands are written one by one as they are found: all in one go would keep everybody waiting.

type Entry = ReadDirectoryResult["entries"][number];
type WalkEntry = WalkResult["entries"][number];
type WalkError = WalkResult["errors"][number];

/** In one portion of a list. */
const PORTION_ENTRIES = 256;

/** Entries written one by one, and joined portion by portion. */
export class WrittenList {
  #text = "";
  #portion: string[] = [];

  add(entry: string): void {
    this.#portion.push(entry);
    if (this.#portion.length === PORTION_ENTRIES) this.#close();
  }

  toString(): string {
    this.#close();
    return `[${this.#text}]`;
  }

  #close(): void {
    if (this.#portion.length === 0) return;
    if (this.#text !== "") this.#text += ",";
    this.#text += this.#portion.join(",");
    this.#portion = [];
  }
}

export function writeDirectoryEntry({ fileName, isDirectory, isFile }: Entry): string {
  return `{"fileName":${JSON.stringify(fileName)},"isDirectory":${isDirectory},"isFile":${isFile}}`;
}

export function writeReadDirectoryResult(entries: WrittenList): WrittenResult<ReadDirectoryResult> {
  return new WrittenResult(`{"entries":${entries}}`);
}

/** A path is a URI as it is written canonically: in it is nothing that JSON would escape. */
export function writeWalkEntry({ path, kind }: WalkEntry): string {
  return `{"path":"${path}","kind":"${kind}"}`;
}

export function writeWalkError({ path, message }: WalkError): string {
  return `{"path":"${path}","message":${JSON.stringify(message)}}`;
}

export function writeWalkResult(
  entries: WrittenList,
  errors: WrittenList,
  truncated: boolean,
): WrittenResult<WalkResult> {
  return new WrittenResult(
    `{"entries":${entries},"errors":${errors},"truncated":${truncated}}`,
  );
}

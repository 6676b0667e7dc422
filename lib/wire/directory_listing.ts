import { DecodeError } from "./decode_error.ts";

// The text of an answer to `fs/list`: for each entry a letter, its name in one byte a character, NUL.

export interface ListedName {
  /** One byte a character. */
  readonly bytes: string;
  /** Of what a link leads to; neither where it leads nowhere. */
  readonly isDirectory: boolean;
  readonly isFile: boolean;
  readonly isSymlink: boolean;
}

type Kinds = Omit<ListedName, "bytes">;

/** Small for the thing itself, large for a link to it. */
const LETTERS: Readonly<Record<string, Kinds>> = {
  d: { isDirectory: true, isFile: false, isSymlink: false },
  f: { isDirectory: false, isFile: true, isSymlink: false },
  o: { isDirectory: false, isFile: false, isSymlink: false },
  D: { isDirectory: true, isFile: false, isSymlink: true },
  F: { isDirectory: false, isFile: true, isSymlink: true },
  O: { isDirectory: false, isFile: false, isSymlink: true },
};

export function writeListedName({ bytes, isDirectory, isFile, isSymlink }: ListedName): string {
  const letter = isDirectory ? "d" : isFile ? "f" : "o";
  return `${isSymlink ? letter.toUpperCase() : letter}${bytes}\0`;
}

/** Throws a DecodeError. */
export function readListing(listing: Uint8Array): ListedName[] {
  const text = Buffer.from(listing.buffer, listing.byteOffset, listing.length).toString("latin1");
  if (text === "") return [];
  if (!text.endsWith("\0")) throw new DecodeError("a directory listing breaks off");
  return text.slice(0, -1).split("\0").map((entry) => {
    const kinds = Object.hasOwn(LETTERS, entry.charAt(0)) ? LETTERS[entry.charAt(0)] : undefined;
    const bytes = entry.slice(1);
    if (kinds === undefined || bytes === "" || bytes.includes("/") || bytes === "." || bytes === "..") {
      throw new DecodeError(`a directory listing names ${JSON.stringify(entry)}`);
    }
    return { bytes, ...kinds };
  });
}

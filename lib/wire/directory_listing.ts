import { DecodeError } from "./decode_error.ts";

// The text of an answer to `fs/list`: for each entry a letter, its name in one byte a character, NUL. Where it was asked
// for, what is known of each follows its name, and another NUL.

export interface ListedName {
  /** One byte a character. */
  readonly bytes: string;
  /** Of what a link leads to; neither where it leads nowhere. */
  readonly isDirectory: boolean;
  readonly isFile: boolean;
  readonly isSymlink: boolean;
  /** Only where it was asked for; null of links, and of what could not be looked at. */
  readonly metadata?: ListedMetadata | null;
}

/** The members of an answer to `fs/getMetadata` that the letter does not tell. */
export type ListedMetadata = Readonly<Record<typeof NUMBERS[number], number>> & { readonly identity: string };

/** In this order, `identity` last. */
const NUMBERS = [
  ...["size", "createdAtMs", "modifiedAtMs", "mode", "links", "accessedAtMs", "changedAtMs"] as const,
] as const;

type Kinds = Pick<ListedName, "isDirectory" | "isFile" | "isSymlink">;

/** Small for the thing itself, large for a link to it. */
const LETTERS: Readonly<Record<string, Kinds>> = {
  d: { isDirectory: true, isFile: false, isSymlink: false },
  f: { isDirectory: false, isFile: true, isSymlink: false },
  o: { isDirectory: false, isFile: false, isSymlink: false },
  D: { isDirectory: true, isFile: false, isSymlink: true },
  F: { isDirectory: false, isFile: true, isSymlink: true },
  O: { isDirectory: false, isFile: false, isSymlink: true },
};

export function writeListedName({ bytes, isDirectory, isFile, isSymlink, metadata }: ListedName): string {
  const letter = isDirectory ? "d" : isFile ? "f" : "o";
  const name = `${isSymlink ? letter.toUpperCase() : letter}${bytes}\0`;
  return metadata === undefined ? name : `${name}${writeMetadata(metadata)}\0`;
}

function writeMetadata(metadata: ListedMetadata | null): string {
  return metadata === null ? "" : `${NUMBERS.map((name) => metadata[name]).join(" ")} ${metadata.identity}`;
}

/** Throws a DecodeError. */
export function readListing(listing: Uint8Array, withMetadata: boolean): ListedName[] {
  const text = Buffer.from(listing.buffer, listing.byteOffset, listing.length).toString("latin1");
  if (text === "") return [];
  const parts = text.split("\0");
  if (parts.pop() !== "" || withMetadata && parts.length % 2 !== 0) {
    throw new DecodeError("a directory listing breaks off");
  }
  if (!withMetadata) return parts.map(readName);
  const found: ListedName[] = [];
  for (let at = 0; at < parts.length; at += 2) {
    found.push({ ...readName(parts[at]!), metadata: readMetadata(parts[at + 1]!) });
  }
  return found;
}

function readName(entry: string): ListedName {
  const kinds = Object.hasOwn(LETTERS, entry.charAt(0)) ? LETTERS[entry.charAt(0)] : undefined;
  const bytes = entry.slice(1);
  if (kinds === undefined || bytes === "" || bytes.includes("/") || bytes === "." || bytes === "..") {
    throw new DecodeError(`a directory listing names ${JSON.stringify(entry)}`);
  }
  return { bytes, ...kinds };
}

function readMetadata(text: string): ListedMetadata | null {
  if (text === "") return null;
  const words = text.split(" ");
  const identity = words[NUMBERS.length];
  const numbers = {} as Record<typeof NUMBERS[number], number>;
  for (const [at, name] of NUMBERS.entries()) {
    numbers[name] = Number(words[at] || NaN);
    if (!Number.isSafeInteger(numbers[name])) throw unknowable(text);
  }
  if (identity === undefined || identity === "" || words.length > NUMBERS.length + 1) throw unknowable(text);
  return { ...numbers, identity };
}

function unknowable(text: string): DecodeError {
  return new DecodeError(`a directory listing knows ${JSON.stringify(text)}`);
}

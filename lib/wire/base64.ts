import { DecodeError } from "./decode_error.ts";

/** In the standard alphabet, padded. */
export function encodeBase64(bytes: Uint8Array): string {
  return bytes.toBase64();
}

/** A multiple of 3, so that what the pieces become can be put together as it is. */
const PIECE_BYTES = 768 * 1024;

/** The same in pieces, for what is too much to be done at once. */
export function* encodeBase64InPieces(bytes: Uint8Array): Generator<string> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    yield encodeBase64(bytes.subarray(at, at + PIECE_BYTES));
  }
}

/**
 * Takes what encodeBase64 gives and nothing else: the standard alphabet, padded, no white space, no bits left
 * over. Throws DecodeError.
 */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  return checked(text, () => Uint8Array.fromBase64(text, { lastChunkHandling: "strict" }));
}

/** The same, at the beginning of memory that is there and large enough for three bytes of each four symbols. */
export function decodeBase64Into(text: string, room: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (room.length * 4 < text.length * 3) throw new RangeError("The room is too small for the text");
  return checked(text, () => {
    const { written } = room.setFromBase64(text, { lastChunkHandling: "strict" });
    return room.subarray(0, written);
  });
}

function checked(text: string, decode: () => Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const bytes = orNull(decode);
  // The decoder skips white space, which shows in the length.
  if (bytes === null || text.length !== Math.ceil(bytes.length / 3) * 4) throw new DecodeError(explain(text));
  return bytes;
}

function orNull(decode: () => Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | null {
  try {
    return decode();
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** Why it was refused, in the order in which Codex looks for reasons. */
function explain(text: string): string {
  const bytes = Buffer.from(text);
  const last = bytes.length - 1;
  if (bytes.length % 4 === 1 && !/[A-Za-z0-9+/=]/.test(text[text.length - 1])) {
    return wrongSymbol(bytes, last);
  }
  const symbols = /[^A-Za-z0-9+/]/.exec(text)?.index ?? text.length;
  const padding = text.slice(symbols);
  const missing = (4 - symbols % 4) % 4;
  if (padding === "" && missing === 3) return `Invalid input length: ${text.length}`;
  if (missing < 3 && "=".repeat(missing) === padding) {
    return `Invalid last symbol ${bytes[symbols - 1]}, offset ${symbols - 1}.`;
  }
  if (padding === "" || missing === 2 && padding === "=") return "Invalid padding";
  return wrongSymbol(bytes, symbols);
}

function wrongSymbol(bytes: Uint8Array, offset: number): string {
  return `Invalid symbol ${bytes[offset]}, offset ${offset}.`;
}

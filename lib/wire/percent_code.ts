/** What stands in a path as it is. Everything else is written as `%XX`; `%` itself only where it was meant. */
const ENCODED_IN_URL = /[^!$%&-;=@-Z[\]^_a-z|~]/gu;
const ENCODED_IN_NATIVE_NAME = /[^!$&-;=@-Z[\]^_a-z|~]/g;

/** A piece of a URL's path as it is written canonically. Existing `%XX` stay as they are. */
export function encodeUrlText(text: string): string {
  return text.toWellFormed().replace(
    ENCODED_IN_URL,
    (character) => Array.from(Buffer.from(character), percentByte).join(""),
  );
}

const WRITTEN_AS_IT_IS = /^[!$&-;=@-Z[\]^_a-z|~]*$/;

/** Whether a native path or name has nothing to encode in it. */
export function isWrittenAsItIs(path: string): boolean {
  return WRITTEN_AS_IT_IS.test(path);
}

/** A native path or name, `/` left alone. */
export function encodeNativeBytes(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  return text.replace(ENCODED_IN_NATIVE_NAME, (character) => percentByte(character.charCodeAt(0)));
}

/** The bytes that a piece of a canonical path stands for. A `%` without two hex digits stands for itself. */
export function decodePercent(text: string): Uint8Array {
  const decoded = text.replace(
    /%([0-9a-f]{2})/gi,
    (_, hex: string) => String.fromCharCode(parseInt(hex, 16)),
  );
  return Buffer.from(decoded, "latin1");
}

function percentByte(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
}

import type { Soon } from "../fs/file_system.ts";
import { decodeBase64, decodeBase64Into } from "../wire/base64.ts";
import { MAX_BLOCK_BYTES } from "../wire/fs_messages.ts";

/** Of the whole program. As many blocks are usually under way; what is beyond is decoded into fresh memory. */
const MAX_ROOMS = 8;
/** The decoder needs room for what padding will take back. */
const ROOM_BYTES = Math.ceil(MAX_BLOCK_BYTES / 3) * 3;
/** Below this, fresh memory costs nothing, and a small block would hold a whole room. */
const MIN_CHARS = 64 * 1024;
const MAX_CHARS = ROOM_BYTES / 3 * 4;

const free: Uint8Array<ArrayBuffer>[] = [];
let made = 0;

/**
 * Decodes a block of a file for who writes it, into memory that is used again when that is done: the system takes
 * longer to give fresh megabytes than we to fill them. Throws DecodeError.
 */
export function withBlock(chunk: string, write: (bytes: Uint8Array) => Soon<void>): Soon<void> {
  const room = chunk.length < MIN_CHARS || chunk.length > MAX_CHARS ? null : takeRoom();
  if (room === null) return write(decodeBase64(chunk));
  let written: Soon<void>;
  try {
    written = write(decodeBase64Into(chunk, room));
  } catch (error) {
    free.push(room);
    throw error;
  }
  if (!(written instanceof Promise)) {
    free.push(room);
    return;
  }
  return written.finally(() => {
    free.push(room);
  });
}

function takeRoom(): Uint8Array<ArrayBuffer> | null {
  const room = free.pop();
  if (room !== undefined || made === MAX_ROOMS) return room ?? null;
  made += 1;
  return new Uint8Array(ROOM_BYTES);
}

import { read, readSync, write, writeSync } from "node:fs";
import { systemError } from "../fs_error.ts";
import { asFsError } from "./system_call.ts";

/** Up to this much is read and written at once; more of it off the main thread, where it keeps nobody waiting. */
export const SMALL_BYTES = 256 * 1024;

/** What the kernel counts positions in. */
const POSITION_LIMIT = 2 ** 63;

/** How many bytes were read; 0 at the end. */
export function readNow(fd: number, into: Uint8Array, start: number, position: number): number {
  try {
    return readSync(fd, into, start, into.length - start, toRead(position));
  } catch (error) {
    throw asFsError(error);
  }
}

export function readLater(fd: number, into: Uint8Array, start: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, into, start, into.length - start, toRead(position), (error, count) => {
      if (error) reject(asFsError(error));
      else resolve(count);
    });
  });
}

/** All of it. */
export function writeNow(fd: number, bytes: Uint8Array, position: number): void {
  try {
    for (let done = 0; done < bytes.length;) {
      done += writeSync(fd, bytes, done, bytes.length - done, toWrite(position + done));
    }
  } catch (error) {
    throw asFsError(error);
  }
}

/** All of it. */
export async function writeLater(fd: number, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const at = toWrite(position + done);
    done += await new Promise<number>((resolve, reject) => {
      write(fd, bytes, done, bytes.length - done, at, (error, count) => {
        if (error) reject(asFsError(error));
        else resolve(count);
      });
    });
  }
}

function toRead(position: number): number | bigint {
  if (Number.isSafeInteger(position)) return position;
  if (position >= POSITION_LIMIT) throw systemError("EINVAL");
  return BigInt(position);
}

/** The runtime takes what is no small number for the place where it stands, and no disk reaches so far. */
function toWrite(position: number): number {
  if (!Number.isSafeInteger(position)) throw systemError("EFBIG");
  return position;
}

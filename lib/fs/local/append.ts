import { closeSync, constants, write, writeSync } from "node:fs";
import type { NativePath, Soon } from "../file_system.ts";
import { SMALL_BYTES } from "./file_io.ts";
import { checkedPath } from "./native_bytes.ts";
import type { Place } from "./place.ts";
import { NEW_FILE_MODE, notAFile, openRegular } from "./read_file.ts";
import { asFsError, now } from "./system_call.ts";

const OPEN_TO_APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;

/**
 * In one call of the system wherever it takes all in one, so that nothing of others stands in between. What a disk took
 * before it was full stays: what is behind it may be another's already.
 */
export function append(place: Place, path: NativePath, bytes: Uint8Array): Soon<void> {
  const checked = checkedPath(path);
  const { fd } = openRegular(() => place.open(checked, OPEN_TO_APPEND, NEW_FILE_MODE), () => notAFile(path));
  if (bytes.length > SMALL_BYTES) return appendLater(fd, bytes).finally(() => closeSync(fd));
  try {
    for (let done = 0; done < bytes.length;) {
      done += now(() => writeSync(fd, bytes, done, bytes.length - done));
    }
  } finally {
    closeSync(fd);
  }
}

async function appendLater(fd: number, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += await new Promise<number>((resolve, reject) => {
      write(fd, bytes, done, bytes.length - done, null, (error, count) => {
        if (error) reject(asFsError(error));
        else resolve(count);
      });
    });
  }
}

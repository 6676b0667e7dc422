import { closeSync, constants, ftruncateSync } from "node:fs";
import type { NativePath, OpenFile, Soon } from "../file_system.ts";
import { readLater, readNow, SMALL_BYTES, writeLater, writeNow } from "./file_io.ts";
import { notAFile, OPEN_TO_READ, openRegular } from "./read_file.ts";
import { readCached } from "./libc.ts";
import { checkedPath } from "./native_bytes.ts";
import { now } from "./system_call.ts";

/** Not emptied on opening, so that nothing is that turns out to be no file. */
const OPEN_TO_REPLACE = constants.O_WRONLY | constants.O_CREAT | constants.O_NONBLOCK;

export function openFile(path: NativePath, mode: "read" | "replace"): OpenFile {
  const flags = mode === "read" ? OPEN_TO_READ : OPEN_TO_REPLACE;
  const { fd } = openRegular(checkedPath(path), flags, () => notAFile(path));
  const file = new LocalOpenFile(fd);
  if (mode === "replace") {
    try {
      now(() => ftruncateSync(fd));
    } catch (error) {
      file.close();
      throw error;
    }
  }
  return file;
}

class LocalOpenFile implements OpenFile {
  #isOpen = true;

  constructor(private readonly fd: number) {}

  read(offset: number, length: number): Soon<Uint8Array> {
    const buffer = Buffer.allocUnsafeSlow(length);
    if (length > SMALL_BYTES) {
      const cached = Number.isSafeInteger(offset) ? readCached(this.fd, buffer, offset) : 0;
      return cached === length ? buffer : this.#readLater(buffer, offset, cached);
    }
    for (let filled = 0;;) {
      const count = readNow(this.fd, buffer, filled, offset + filled);
      filled += count;
      if (count === 0 || filled === length) return buffer.subarray(0, filled);
    }
  }

  async #readLater(buffer: Buffer, offset: number, cached: number): Promise<Uint8Array> {
    for (let filled = cached;;) {
      const count = await readLater(this.fd, buffer, filled, offset + filled);
      filled += count;
      if (count === 0 || filled === buffer.length) return buffer.subarray(0, filled);
    }
  }

  write(offset: number, bytes: Uint8Array): Soon<void> {
    if (bytes.length > SMALL_BYTES) return writeLater(this.fd, bytes, offset);
    writeNow(this.fd, bytes, offset);
  }

  close(): void {
    if (!this.#isOpen) return; // its number may be another file's by now
    this.#isOpen = false;
    closeSync(this.fd);
  }
}

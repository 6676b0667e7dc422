import { closeSync, constants } from "node:fs";
import type { FileAttributes, NativePath, OpenFile, OpenMode, OpenOptions, Soon } from "../file_system.ts";
import { FsError } from "../fs_error.ts";
import { setAttributes } from "./attributes.ts";
import { cutFile } from "./cut_file.ts";
import { readLater, readNow, SMALL_BYTES, writeLater, writeNow } from "./file_io.ts";
import { NEW_FILE_MODE, notAFile, OPEN_TO_READ, openRegular } from "./read_file.ts";
import { readCached } from "./libc.ts";
import { checkedPath } from "./native_bytes.ts";
import { openPrivate } from "./open_private.ts";
import type { Place } from "./place.ts";

/** Not emptied on opening, so that nothing is that turns out to be no file. */
const OPEN_TO_REPLACE = constants.O_WRONLY | constants.O_CREAT | constants.O_NONBLOCK;
const OPEN_TO_UPDATE = constants.O_RDWR | constants.O_CREAT | constants.O_NONBLOCK;

const FLAGS: Readonly<Record<OpenMode, number>> = {
  read: OPEN_TO_READ,
  replace: OPEN_TO_REPLACE,
  update: OPEN_TO_UPDATE,
};

export function openFile(
  place: Place,
  path: NativePath,
  mode: OpenMode,
  options: OpenOptions = {},
): Soon<OpenFile> {
  if (options.private === true && mode !== "update") {
    throw new FsError("refused", "only a file that is opened to be updated can be private");
  }
  const checked = checkedPath(path);
  const { fd, size } = options.private === true
    ? openPrivate(place, path)
    : openRegular(() => place.open(checked, FLAGS[mode], NEW_FILE_MODE), () => notAFile(path));
  const file = new LocalOpenFile(fd, size);
  if (mode === "replace") {
    try {
      const emptied = cutFile(fd, size);
      if (emptied instanceof Promise) return emptied.then(() => file, fail);
    } catch (error) {
      fail(error);
    }
  }
  return file;

  function fail(error: unknown): never {
    file.close();
    throw error;
  }
}

class LocalOpenFile implements OpenFile {
  #isOpen = true;

  constructor(private readonly fd: number, readonly size: number) {}

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

  setAttributes(attributes: FileAttributes): void {
    setAttributes(this.fd, attributes);
  }

  close(): void {
    if (!this.#isOpen) return; // its number may be another file's by now
    this.#isOpen = false;
    closeSync(this.fd);
  }
}

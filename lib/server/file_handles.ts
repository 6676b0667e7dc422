import { FsError } from "../fs/fs_error.ts";
import type {
  FileAttributes,
  FileSystem,
  NativePath,
  OpenFile,
  OpenMode,
  OpenOptions,
  Soon,
} from "../fs/file_system.ts";
import { MAX_HANDLE_ID_BYTES } from "../wire/fs_messages.ts";
import { INVALID_REQUEST, NOT_FOUND, WireError } from "../wire/wire_error.ts";

/** Open files of one connection; each takes one of the program's descriptors. */
const MAX_HANDLES = 128;

interface Handle {
  readonly path: NativePath;
  readonly changes: boolean;
  /** null while it is being opened: its name is taken already. */
  file: OpenFile | null;
}

/** The open files of one connection, by the names that its peer chose. */
export class FileHandles {
  readonly #handles = new Map<string, Handle>();
  #ended = false;

  /** The path behind a handle, to know what a call by it touches. */
  find(id: string): Handle | undefined {
    return this.#handles.get(id);
  }

  /** All that can be refused is, before anything is opened or emptied. Answers the size that it had. */
  open(
    fileSystem: FileSystem,
    id: string,
    path: NativePath,
    mode: OpenMode,
    options?: OpenOptions,
  ): Soon<number | null> {
    if (this.#handles.has(id)) throw new WireError(INVALID_REQUEST, `file handle \`${id}\` already exists`);
    if (this.#handles.size >= MAX_HANDLES) {
      throw new WireError(INVALID_REQUEST, `at most ${MAX_HANDLES} file handles may be open per connection`);
    }
    const handle: Handle = { path, changes: mode !== "read", file: null };
    this.#handles.set(id, handle);
    const forget = (error: unknown) => {
      this.#handles.delete(id);
      throw error;
    };
    try {
      const opened = fileSystem.open(path, mode, options);
      if (opened instanceof Promise) return opened.then((file) => this.#opened(handle, file), forget);
      return this.#opened(handle, opened);
    } catch (error) {
      return forget(error);
    }
  }

  #opened(handle: Handle, file: OpenFile): number | null {
    if (this.#ended) void file.close();
    else handle.file = file;
    return file.size;
  }

  /** A read that fails in the system ends the handle. */
  read(id: string, offset: number, length: number): Soon<Uint8Array> {
    const file = this.#known(id);
    const endIt = (error: unknown): never => {
      if (error instanceof FsError) void this.close(id);
      throw error;
    };
    try {
      const bytes = file.read(offset, length);
      return bytes instanceof Promise ? bytes.catch(endIt) : bytes;
    } catch (error) {
      return endIt(error);
    }
  }

  write(id: string, offset: number, bytes: Uint8Array): Soon<void> {
    return this.#known(id).write(offset, bytes);
  }

  setAttributes(id: string, attributes: FileAttributes): Soon<void> {
    return this.#known(id).setAttributes(attributes);
  }

  /** An unknown one is closed already. */
  close(id: string): Soon<void> {
    const file = this.#handles.get(id)?.file;
    this.#handles.delete(id);
    return file?.close();
  }

  /** The connection is gone: what is opened from now on is closed at once. Answers what is still to be closed. */
  end(): string[] {
    this.#ended = true;
    return [...this.#handles.keys()];
  }

  #known(id: string): OpenFile {
    const file = this.#handles.get(id)?.file;
    if (!file) throw new WireError(NOT_FOUND, `unknown file handle \`${id}\``);
    return file;
  }
}

export function checkHandleId(id: string): void {
  if (Buffer.byteLength(id) > MAX_HANDLE_ID_BYTES) {
    throw new WireError(INVALID_REQUEST, `file handle ID must not exceed ${MAX_HANDLE_ID_BYTES} bytes`);
  }
}

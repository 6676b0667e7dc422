import type { FileSystem, NativePath, OpenFile } from "../fs/file_system.ts";
import { FsError } from "../fs/fs_error.ts";
import { type BytePath, nativeBytes } from "./byte_path.ts";

const MAX_FILE_BYTES = 1024 * 1024;
const MAX_ROOT_BYTES = 16 * 1024 * 1024;

export interface TextFile {
  /** As paths are named to who asked. */
  readonly path: string;
  readonly contents: string;
}

/** How much one answer may hold, over all its roots: above it nobody could send it. */
export class AnswerRoom {
  constructor(private left: number) {}

  /** Whether so much is still to be had; then it is taken. */
  take(bytes: number): boolean {
    if (bytes > this.left) return false;
    this.left -= bytes;
    return true;
  }
}

/** Reads the files of one root, within its limits. What is left out is a warning; what is not there is nothing. */
export class TextFiles {
  readonly warnings: string[] = [];
  #left = MAX_ROOT_BYTES;

  constructor(
    private readonly files: FileSystem,
    private readonly nameOf: (path: NativePath) => string,
    private readonly answer: AnswerRoom,
  ) {}

  name(path: BytePath): string {
    return this.nameOf(nativeBytes(path));
  }

  warn(text: string): void {
    this.warnings.push(text);
  }

  async read(path: BytePath): Promise<TextFile | null> {
    const bytes = await this.#bytes(path);
    if (bytes === null) return null;
    const name = this.name(path);
    if (bytes.length > MAX_FILE_BYTES) {
      return this.#leftOut(`capability file ${name} exceeds the ${MAX_FILE_BYTES}-byte limit`);
    }
    if (bytes.length > this.#left) {
      return this.#leftOut(`capability root bundle exceeds the ${MAX_ROOT_BYTES}-byte limit`);
    }
    const contents = decode(bytes);
    if (contents === null) return this.#leftOut(`capability file ${name} is not UTF-8`);
    if (!this.answer.take(Buffer.byteLength(JSON.stringify(contents)))) {
      return this.#leftOut(`capability file ${name} does not fit into one answer with the others`);
    }
    this.#left -= bytes.length;
    return { path: name, contents };
  }

  #leftOut(warning: string): null {
    this.warn(warning);
    return null;
  }

  /** One byte more than allowed where there are so many; null for what is no file. */
  async #bytes(path: BytePath): Promise<Uint8Array | null> {
    let file: OpenFile | null = null;
    try {
      file = await this.files.open(nativeBytes(path), "read");
      return await file.read(0, MAX_FILE_BYTES + 1);
    } catch (error) {
      if (!(error instanceof FsError)) throw error;
      const isNoFile = error.code === "refused" ||
        ["ENOENT", "ENOTDIR", "EISDIR"].includes(error.errno ?? "");
      if (!isNoFile) this.warn(`failed to read capability file ${this.name(path)}: ${error.message}`);
      return null;
    } finally {
      await file?.close();
    }
  }
}

function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null; // that it is no UTF-8 is all there is to say
  }
}

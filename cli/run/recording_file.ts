import { close, fstatSync, ftruncate, lstatSync, openSync, unlinkSync, write } from "node:fs";
import { promisify } from "node:util";
import { osErrorCode, osErrorWords } from "../../lib/base/os_error.ts";
import { CommandError, EXIT } from "../exit_status.ts";

const closeFile = promisify(close);
const cutFile = promisify(ftruncate);

/** A new file that grows by whole lines, whatever happens: whoever reads it while we write, or after, can. */
export class RecordingFile implements AsyncDisposable {
  #bytes = 0;

  private constructor(private readonly path: string, private readonly fd: number) {}

  /** For its owner only: a terminal shows secrets. Throws a CommandError where it cannot be, or is there already. */
  static create(path: string): RecordingFile {
    try {
      // "x" is O_EXCL: it follows no link, and neither a recording nor a device is ever overwritten.
      return new RecordingFile(path, openSync(path, "wx", 0o600));
    } catch (error) {
      if (osErrorCode(error) === "EEXIST") {
        throw new CommandError(
          `cannot record to ${path}: it already exists, and is never overwritten`,
          "name a new file, or remove that one",
          EXIT.notStarted,
        );
      }
      throw new CommandError(
        `cannot record to ${path}: ${osErrorWords(error)}`,
        "name a new file that can be written after --record",
        EXIT.notStarted,
      );
    }
  }

  /**
   * Resolves when the system has taken the lines: nothing is held back here, so a crash of ours costs none of them.
   * Rejects where the system does not take all of them, and then none of them is in the file.
   */
  async append(lines: string): Promise<void> {
    const bytes = new TextEncoder().encode(lines);
    try {
      for (let done = 0; done < bytes.length;) done += await this.#write(bytes, done);
      this.#bytes += bytes.length;
    } catch (error) {
      await cutFile(this.fd, this.#bytes).catch(() => {}); // the first error says more
      throw error;
    }
  }

  /** One in which nothing came to be is removed, so that the same words can be tried again. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#bytes === 0) this.#remove();
    await closeFile(this.fd);
  }

  #write(bytes: Uint8Array, from: number): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const at = this.#bytes + from;
    write(this.fd, bytes, from, bytes.length - from, at, (error, written) => {
      if (error === null) resolve(written);
      else reject(error);
    });
    return promise;
  }

  /** Only if the name is still ours. */
  #remove(): void {
    try {
      const [ours, there] = [fstatSync(this.fd), lstatSync(this.path)];
      if (ours.ino === there.ino && ours.dev === there.dev) unlinkSync(this.path);
    } catch {
      // An empty file stays, or somebody took it away already: neither is worth a word.
    }
  }
}

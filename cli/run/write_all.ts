import { write } from "node:fs";
import { osErrorText } from "../../lib/base/os_error.ts";

/** Nobody reads what we print any more, as `| head` does when it has enough. */
export class BrokenPipe extends Error {
  override readonly name = "BrokenPipe";
}

/** The output cannot be kept: the disk is full, the terminal is gone. */
export class OutputError extends Error {
  override readonly name = "OutputError";
}

/** How long to wait for room in a pipe that somebody made non-blocking before it was ours. */
const RETRY_MS = 5;

/**
 * Resolves when the system has taken all of it, however long its reader takes; meanwhile everything else goes on.
 * Rejects with BrokenPipe when there is no reader.
 *
 * Written by the descriptor: the runtime's own writer of stdout makes the pipe non-blocking for all who share it,
 * and does not survive the end of its reader.
 */
export async function writeAll(fd: number, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await writeSome(fd, bytes, done);
}

function writeSome(fd: number, bytes: Uint8Array, from: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  write(fd, bytes, from, bytes.length - from, null, (error, written) => {
    if (error === null) resolve(written);
    else if (error.code === "EAGAIN") void Bun.sleep(RETRY_MS).then(() => resolve(0));
    else if (error.code === "EPIPE") reject(new BrokenPipe("Nobody reads the output any more"));
    else reject(new OutputError(`cannot write the output: ${osErrorText(error.code ?? "EIO")}`));
  });
  return promise;
}

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "@std/path";
import { FsError } from "../../lib/fs/fs_error.ts";

/** A directory of one test; it goes with all that is in it. */
export function directory(): Disposable & { path: string; put(name: string, text: string): string } {
  const path = mkdtempSync(join(tmpdir(), "files-"));
  return {
    path,
    put(name, text) {
      writeFileSync(join(path, name), text);
      return join(path, name);
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** How it failed: the errno where the system said so, else what we say. */
export async function failure(doing: () => unknown): Promise<string> {
  try {
    await doing();
  } catch (error) {
    if (!(error instanceof FsError)) throw error;
    return error.errno ?? error.message;
  }
  throw new Error("Expected a failure");
}

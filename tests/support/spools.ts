import { readdirSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "@std/path";
import { openSpools, type SpoolRoom, type SpoolSettings } from "../../lib/process/local/spool_room.ts";
import { untilTrue } from "./peer_deadline.ts";

export interface TestSpools extends AsyncDisposable {
  readonly root: string;
  readonly room: SpoolRoom;
  /** What was said that a person should know. */
  readonly warnings: readonly string[];
  /** Resolves once so much is on disk. */
  holds(bytes: number): Promise<void>;
  /** Resolves once nothing is. */
  isEmpty(): Promise<void>;
}

/** Spools on disk, in a directory of their own. */
export async function testSpools(change: Partial<SpoolSettings> = {}): Promise<TestSpools> {
  const root = await spoolRoot();
  const warnings: string[] = [];
  const warn = (message: string) => void warnings.push(message);
  const room = await openSpools({ root, isNamed: true, maxBytes: 2 ** 30, warn, ...change });
  if (room === null) throw new Error(`There are no spools: ${warnings}`);
  return {
    root,
    room,
    warnings,
    holds: (bytes) => untilTrue(() => bytesIn(root) >= bytes, `${bytes} bytes on disk`),
    isEmpty: () => untilTrue(() => filesIn(root).length === 0, "the end of every file"),
    [Symbol.asyncDispose]: async () => {
      room.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** A place for spools. It may be in memory: by its name it is used all the same. */
export function spoolRoot(): Promise<string> {
  return mkdtemp(join(tmpdir(), "spool-"));
}

/** All files of all servers that have their spools there. */
export function filesIn(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
}

export function bytesIn(root: string): number {
  return filesIn(root).reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0);
}

import { closeSync, constants, openSync } from "node:fs";
import { FsError } from "../../lib/fs/fs_error.ts";
import { fileBlocks, streamBlocks } from "./blocks.ts";
import { bufferOf, type BytePath, nativePath } from "./byte_path.ts";
import { asFsError } from "./here_side.ts";
import { type KeptBeginning, looksLikeBeginning } from "./kept_beginning.ts";
import type { Facts, Side } from "./side.ts";

/** Where the bytes of one file come from. */
export interface Departure {
  /** null where nobody knows before the end. */
  readonly facts: Facts | null;
  /** It can be read from any place in it, and again. */
  readonly canRepeat: boolean;
  blocks(start: number): AsyncIterable<Uint8Array>;
  /** Whether what was kept of it, up to there, may be its beginning. */
  mayBegin(kept: KeptBeginning, end: number): Promise<boolean>;
}

export function fileDeparture(side: Side, path: BytePath, facts: Facts): Departure {
  return {
    facts,
    canRepeat: true,
    async *blocks(start) {
      if (start > 0) await mustBeTheSame(side, path, facts, "to the last change");
      const file = await side.files.open(nativePath(path), "read");
      try {
        yield* fileBlocks(file, start, facts.size);
        await mustBeTheSame(side, path, facts);
      } finally {
        await file.close();
      }
    },
    async mayBegin(kept, end) {
      if (facts.changedAtMs !== null) return true; // the name of what was kept says when
      const file = await side.files.open(nativePath(path), "read");
      try {
        return await looksLikeBeginning(kept, file, end);
      } finally {
        await file.close();
      }
    },
  };
}

/** What is no file: a pipe, a device, our stdin. */
export function streamDeparture(path: BytePath | null): Departure {
  return {
    facts: null,
    canRepeat: false,
    async *blocks() {
      if (path === null) return yield* streamBlocks(0);
      const fd = openToRead(path);
      try {
        yield* streamBlocks(fd);
      } finally {
        closeSync(fd);
      }
    },
    mayBegin: () => Promise.resolve(false),
  };
}

function openToRead(path: BytePath): number {
  try {
    return openSync(bufferOf(path), constants.O_RDONLY | constants.O_NOCTTY);
  } catch (error) {
    throw asFsError(error);
  }
}

/**
 * Some blocks of one content and some of another would be neither. Where something is joined on after a while, its time
 * may have been set back meanwhile; while it is read, a new name or mode that somebody gives it does no harm.
 */
async function mustBeTheSame(
  side: Side,
  path: BytePath,
  before: Facts,
  how?: "to the last change",
): Promise<void> {
  const now = await side.look(path);
  const isSame = now?.size === before.size && now.modifiedAtMs === before.modifiedAtMs &&
    now.identity === before.identity && (how === undefined || now.changedAtMs === before.changedAtMs);
  if (!isSame) throw new FsError("refused", "it changed while it was copied");
}

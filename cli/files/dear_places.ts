import { type BytePath, isAtOrBelow } from "./byte_path.ts";
import { Refusal } from "./file_failure.ts";
import { realPath } from "./same_file.ts";
import type { Side } from "./side.ts";

/**
 * Refuses to remove a directory whose loss is never meant: the root, where commands start, the user's home, all that
 * these are in, and what is named only by dots.
 */
export async function refuseDearPlace(side: Side, word: BytePath, path: BytePath): Promise<void> {
  if (!/(^|\/)\.\.?\/*$/.test(word) && !await holdsLandmark(side, path)) return;
  throw new Refusal("that is never what is wanted", "name what is in it that is to go");
}

async function holdsLandmark(side: Side, path: BytePath): Promise<boolean> {
  const real = await realPath({ side, path });
  if (real === null) return false; // who may not know where it is may not remove it either
  if (real === "/") return true;
  for (const landmark of side.landmarks) {
    if (isAtOrBelow(await realPath({ side, path: landmark }) ?? landmark, real)) return true;
  }
  return false;
}
